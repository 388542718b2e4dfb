"""The command that says how well readers, models or corrections agree: agreement."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from engine.cli.console import drive, say, say_note, say_table
from engine.cli.patient import ConventionOption, ProfileOption
from engine.clinical.conventions import Conventions
from engine.clinical.profile import Profile

if TYPE_CHECKING:
    from engine.clinical.measured_readings import MeasuredReadings
    from engine.clinical.measured_sources import Gathered


class FigureKind(StrEnum):
    """Files that figures are written as."""

    SVG = "svg"
    PNG = "png"
    PDF = "pdf"


class LimitsChoice(StrEnum):
    """SDs from the bias to a limit of agreement."""

    NARROW = "1.96"
    WIDE = "2"


_SHOWN_PROBLEMS = 5


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(epilog="Example: heartseg agreement reader_a.csv reader_b.csv --out agreement")(
        agreement
    )


def agreement(
    sources: Annotated[
        list[str],
        typer.Argument(
            help="CSV table, report.json, or a folder of reports, of studies with labels, or of "
            "label files; NAME=PATH names who measured."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder to write to; made if missing.")],
    against: Annotated[
        str | None,
        typer.Option("--against", help="The reading to compare with: Reference, else the last."),
    ] = None,
    limits: Annotated[
        LimitsChoice, typer.Option("--limits", help="SDs from the bias to a limit that is drawn.")
    ] = LimitsChoice.NARROW,
    quantity: Annotated[
        list[str] | None,
        typer.Option("--quantity", help="Draw this one only, e.g. lv_ef_percent; may be repeated."),
    ] = None,
    kinds: Annotated[
        list[FigureKind] | None,
        typer.Option("--format", help="Write figures as this only; may be repeated."),
    ] = None,
    convention: ConventionOption = None,
    profile: ProfileOption = None,
) -> None:
    """Compare measurements of the same studies: readers, models, before and after a correction.

    Writes agreement.json and agreement.csv (bias, limits of agreement with confidence intervals,
    correlations, tests, for all and for each group), points.csv (every pair of values) and, in the
    folder figures, correlation and Bland-Altman plots. Studies pair by their names.

    Conventions (see `heartseg report --help`) say how labels are measured; tables and reports hold
    what was measured before. Unless the profile is a hospital's, studies that are read from DICOM
    get pseudonyms in every file.
    """
    from engine.clinical.agreement_report import write_agreement
    from engine.clinical.anonymous import salt_of_this_computer
    from engine.clinical.measured_sources import Source, gather
    from engine.clinical.nameless_readings import without_names
    from engine.clinical.template import read_template
    from engine.io.atomic_file import make_folder

    make_folder(out)  # whatever forbids writing is told before the long work
    chosen = Conventions.parse(convention) if convention else None
    gathered = drive(gather([Source.parse(text) for text in sources], conventions=chosen))
    wanted = profile or read_template().profile
    if wanted is Profile.RESEARCH and gathered.names_patients:
        gathered = drive(without_names(gathered, salt_of_this_computer()))
    reference = against or _reference(gathered)
    written = drive(
        write_agreement(
            gathered,
            reference,
            out,
            limits_factor=float(limits.value),
            quantities=quantity or (),
            kinds=tuple(kind.value for kind in kinds or FigureKind),
        )
    )
    _tell_problems(gathered.problems)
    _show(gathered, reference, float(limits.value))
    say(f"Wrote {len(written)} files to {out}")


def _reference(gathered: "Gathered") -> str:
    names = gathered.readings.readings
    return next((name for name in names if name.lower() == "reference"), names[-1])


def _tell_problems(problems: Sequence[str]) -> None:
    for problem in problems[:_SHOWN_PROBLEMS]:
        say_note(f"Note: {problem}")
    if len(problems) > _SHOWN_PROBLEMS:
        more = len(problems) - _SHOWN_PROBLEMS
        say_note(f"Note: {more} more; agreement.json lists them all.")


def _show(gathered: "Gathered", reference: str, factor: float) -> None:
    from engine.scoring.agreement_summary import summarise_agreement
    from engine.scoring.quantities import MAIN, quantity_of

    readings = gathered.readings
    keys = [key for key in readings.quantities if key in MAIN] or list(readings.quantities)
    for name in readings.readings:
        if name == reference:
            continue
        headings = ("", "n", "Bias", "SD", "Limits", "r", "CCC", "ICC(2,1)", "p (t)")
        title = f"{name} minus {reference}, limits {factor:g} SD"
        table = Table(*headings, title=title, caption=_told(readings, (name, reference)))
        for key in keys:
            pairs = readings.pairs(name, reference, key)
            if pairs.points:
                found = summarise_agreement(pairs, limits_factor=factor)[0]
                what = quantity_of(key)
                table.add_row(f"{what.short} [{what.unit}]" if what.unit else what.short,
                              *_cells(found))  # fmt: skip
        say_table(table)


def _told(readings: "MeasuredReadings", names: Sequence[str]) -> str:
    """How two readings were measured, where that is known and not as usual."""
    told = {
        name: ", or ".join(each.told for each in readings.conventions_of(name)) for name in names
    }
    if not any(text and text != Conventions().told for text in told.values()):
        return ""
    return "; ".join(f"{name}: {text or 'conventions not known'}" for name, text in told.items())


def _cells(found: Any) -> list[str]:
    whole, tests = found.agreement, found.tests
    limits = (
        "-"
        if whole.lower_limit is None
        else f"{_signed(whole.lower_limit)} to {_signed(whole.upper_limit)}"
    )
    return [
        str(whole.count),
        _signed(whole.bias),
        "-" if whole.sd is None else f"{whole.sd:.1f}",
        limits,
        *("-" if value is None else f"{value:.3f}"
          for value in (whole.pearson_r, whole.ccc, whole.icc_2_1)),
        _p(tests.t_p),
    ]  # fmt: skip


def _signed(value: float | None) -> str:
    return "-" if value is None else f"{value:+.1f}"


def _p(value: float | None) -> str:
    if value is None:
        return "-"
    return "<0.001" if value < 0.001 else f"{value:.3f}"
