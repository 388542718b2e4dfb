"""Everything about some trainings as a folder of files, or as one PDF."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import CannotSaveError
from engine.experiments.examples import plain_name
from engine.experiments.run_beside import Beside, set_beside
from engine.experiments.run_record import LOG, RunRecord
from engine.experiments.run_tables import (
    short_table,
    table_of_figures,
    table_of_points,
    table_of_records,
)
from engine.experiments.side_by_side import REFERENCE, SideBySide, title_of
from engine.io.atomic_file import make_folder, write_atomically
from engine.learning.models import RECIPE
from engine.learning.tables import Table, to_csv, to_markdown
from engine.progress import Progress, Steps

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COPIED = (RECIPE, "card.md", "log.csv", LOG, "split.json", "environment.json", "notes.json")
_MOST_CURVES = 7  # more lines cannot be told apart
_ON_A_PAGE = 2  # quantities of a figure of agreement, so that a page can be read
_DRAWN = ("lv_ef_percent", "rv_ef_percent", "lv_edv_ml", "rv_edv_ml", "mass_ed_g")


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """What is written.

    Attributes:
        records: The trainings.
        beside: They beside their papers.
        side: Two models on the same patients; None where none were compared.
        figures: Each with its title and the name of its file, without ending.
    """

    records: tuple[RunRecord, ...] = field(repr=False)
    beside: tuple[Beside, ...] = field(repr=False)
    side: SideBySide | None = field(repr=False)
    figures: "tuple[tuple[str, str, Figure], ...]" = field(repr=False)

    def tables(self) -> Iterator[tuple[str, Table]]:
        """Every table with the name of its file, without ending."""
        yield "runs", table_of_records(self.records)
        for number, beside in enumerate(self.beside, start=1):
            yield f"beside-{number}-{plain_name(beside.cite)}", beside.as_table()
        if self.side is not None:
            yield "two-models", table_of_figures(self.side)
            yield "two-models-patients", table_of_points(self.side)


def gather(records: Sequence[RunRecord], side: SideBySide | None = None) -> Steps[Gathered]:
    """Measure and draw all that is to be written.

    Args:
        records: The trainings; one or more.
        side: Two models on the same patients, if any were compared.
    """
    beside = yield from set_beside(records)
    yield Progress(0, 0, "Drawing")
    figures = tuple(_figures(records, side))
    return Gathered(tuple(records), tuple(beside), side, figures)


def export_folder(
    records: Sequence[RunRecord], folder: Path, side: SideBySide | None = None
) -> Steps[Path]:
    """Write tables, figures, and what each training says of itself, into a new or empty folder.

    Returns:
        The file to read first.

    Raises:
        CannotSaveError: The folder holds something, or cannot be written.
    """
    from engine.drawing.canvas import figure_bytes

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CannotSaveError(
            f"{folder} holds something already.", hint="Choose a new or empty folder."
        )
    found = yield from gather(records, side)
    make_folder(folder)
    yield Progress(0, 0, "Writing")
    for name, table in found.tables():
        write_atomically(folder / f"{name}.csv", to_csv(table).encode("utf-8-sig"))
    names = []
    for _, name, figure in found.figures:
        for kind in ("svg", "png"):
            content = figure_bytes(figure, kind)
            write_atomically(folder / "figures" / f"{name}.{kind}", content)
        names.append(f"figures/{name}.png")
        yield Progress(len(names), len(found.figures), "Writing figures")
    for record in records:
        _copy(record, folder / "runs" / plain_name(record.name))
    text = "\n\n".join([*_texts(found), *(f"![{name}]({name})" for name in names)])
    write_atomically(folder / "runs.md", f"{text}\n".encode())
    return folder / "runs.md"


def export_pdf(
    records: Sequence[RunRecord], path: Path, side: SideBySide | None = None
) -> Steps[Path]:
    """Write tables and figures as one PDF.

    Raises:
        CannotSaveError: It cannot be written.
    """
    from engine.experiments.run_pdf import runs_pdf

    found = yield from gather(records, side)
    yield Progress(0, 0, "Writing")
    write_atomically(path, runs_pdf(found))
    return path


def _texts(found: Gathered) -> Iterator[str]:
    yield "# Trainings"
    yield to_markdown(short_table(found.records)).strip()
    for beside in found.beside:
        yield to_markdown(beside.as_table()).strip()
    if found.side is not None:
        yield to_markdown(table_of_figures(found.side)).strip()


def _copy(record: RunRecord, folder: Path) -> None:
    for name in _COPIED:
        try:
            content = (record.path / name).read_bytes()
        except OSError:
            continue  # a stopped run has no card, most have no notes
        write_atomically(folder / name, content)


def _figures(
    records: Sequence[RunRecord], side: SideBySide | None
) -> "Iterator[tuple[str, str, Figure]]":
    from engine.drawing.curves import TrainingRun, make_curves_figure

    with_rows = [record for record in records if record.rows and record.recipe is not None]
    for first in range(0, len(with_rows), _MOST_CURVES):
        some = with_rows[first : first + _MOST_CURVES]
        runs = [TrainingRun(one.name, one.rows, one.chosen_epoch) for one in some]
        classes = some[0].recipe.task.classes if some[0].recipe else ()
        number = f"-{first // _MOST_CURVES + 1}" if len(with_rows) > _MOST_CURVES else ""
        yield "Curves", f"curves{number}", make_curves_figure(runs, classes=classes)
    if side is not None:
        yield from side_figures(side)


def side_figures(side: SideBySide) -> "Iterator[tuple[str, str, Figure]]":
    """Agreement of either model with the reference, and panels, as `Gathered.figures`."""
    from engine.drawing.agreement_plots import PairedQuantity, make_agreement_figure
    from engine.drawing.panels import make_panels_figure

    for name in side.names:
        quantities = []
        for key in (key for key in _DRAWN if key in side.quantities):
            pairs = side.pairs(name, REFERENCE, key)
            if pairs.points:
                groups = [point.group or "no group" for point in pairs.points]
                title, unit = title_of(key)
                quantities.append(
                    PairedQuantity(
                        title, unit, *pairs.values, (name, REFERENCE),
                        groups if pairs.groups else [],
                    )
                )  # fmt: skip
        for first in range(0, len(quantities), _ON_A_PAGE):
            title, number = f"{name} against the reference", first // _ON_A_PAGE + 1
            some = quantities[first : first + _ON_A_PAGE]
            yield title, f"agreement-{plain_name(name)}-{number}", make_agreement_figure(some)
    if side.panels:
        figure = make_panels_figure(side.panels, side.names, classes=side.classes)
        yield "Worst patients of either model", "panels", figure
