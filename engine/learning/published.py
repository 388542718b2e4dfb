"""Published results, from resources/published.toml, and the table that sets ours beside them."""

import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from engine.errors import ModelError
from engine.learning.measured import Measured, Place
from engine.learning.tables import Table
from engine.spelling import nearest
from resources import resource_path

if TYPE_CHECKING:
    from engine.drawing.bars import ComparedValue

ErratumKind = Literal["void", "degenerate", "misprint", "caution"]

_NAMES = ("task", "model", "loss", "statistic")
"""What a measured value may leave blank: it then fits every published one."""

_PLACES = ("criterion", "slices", "structure", "phase", "quantity", "metric")
"""What must be the same on both sides, blank or not."""

_SAID = (*(place.name for place in fields(Place)), "metric", "unit")
"""What a part of the file may say of its numbers."""

_TEXTS = (*_SAID, "table")

_SHOWN = (
    "model", "loss", "criterion", "slices", "structure", "phase", "quantity", "metric",
    "statistic", "unit",
)  # fmt: skip


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Paper(_Part):
    """Whose results they are.

    Attributes:
        cite: How a table names it.
        authors: Surnames; or an institute.
        year: Of publication, or a span.
        subject: What was compared, in a few words.
        venue: Where it can be found, as far as that is known.
        data: On what it was measured.
        remarks: What a reader should know before comparing.
    """

    cite: str
    authors: tuple[str, ...]
    year: str
    subject: str
    venue: str = ""
    data: str
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Erratum:
    """Why a printed number is not to be believed as it stands.

    Attributes:
        kind: `void` means nothing, `degenerate` is of a failed training, `misprint` has a
            corrected value, `caution` can be compared with if the text is read.
        text: What is wrong.
        corrected: Of a misprint, the value that follows from the other numbers.
    """

    kind: ErratumKind
    text: str
    corrected: float | None = None


@dataclass(frozen=True, slots=True)
class PublishedValue(Place):
    """One published number.

    Attributes:
        paper: Key in the file.
        table: Where in the paper.
        metric: What was measured, e.g. `dice`, as in the scores of this program.
        value: As printed; percentages of scores as shares.
        unit: Blank for shares and counts.
        erratum: What is wrong with it; None for most.
    """

    paper: str
    table: str
    metric: str
    value: float
    unit: str = ""
    erratum: Erratum | None = None

    @property
    def target(self) -> float | None:
        """What ours may be compared with: corrected if misprinted, None if it means nothing."""
        if self.erratum is None or self.erratum.kind == "caution":
            return self.value
        return self.erratum.corrected


def published_papers() -> dict[str, Paper]:
    """Every paper by its key."""
    return dict(_read().papers)


def published_rows(paper: str | None = None, **wanted: str) -> tuple[PublishedValue, ...]:
    """The published numbers that are of what is wanted, in the papers' order.

    Args:
        paper: Key of one paper; None takes all.
        wanted: Values of the texts of `PublishedValue`, e.g. `model="UNet"`.

    Raises:
        ModelError: There is no such paper, or no such field.
    """
    papers = published_papers()
    if paper is not None and paper not in papers:
        raise ModelError(
            f"There are no published results of {paper!r}{nearest(paper, papers)}.",
            hint=f"There are those of: {', '.join(papers)}.",
        )
    for name in wanted:
        if name not in _TEXTS:
            raise ModelError(
                f"Published results have no field {name!r}{nearest(name, _TEXTS)}.",
                hint=f"They have: {', '.join(_TEXTS)}.",
            )
    return tuple(
        row
        for row in _all_rows()
        if paper in (None, row.paper)
        and all(getattr(row, name) == value for name, value in wanted.items())
    )


def is_of(ours: Measured, published: PublishedValue) -> bool:
    """Whether both are of the same thing.

    What ours leaves blank of task, model, loss and statistic fits any; all else must be equal.
    """
    same = all(getattr(ours, place) == getattr(published, place) for place in _PLACES)
    return same and all(getattr(ours, name) in ("", getattr(published, name)) for name in _NAMES)


def pair_up(
    ours: Iterable[Measured], published: Iterable[PublishedValue]
) -> list[tuple[Measured | None, PublishedValue | None]]:
    """Each published number with ours; then what of ours has none. Either side may be missing.

    Raises:
        ModelError: Two of ours are of the same published number.
    """
    left = list(ours)
    pairs: list[tuple[Measured | None, PublishedValue | None]] = []
    used: set[int] = set()
    for row in published:
        fitting = [number for number, measured in enumerate(left) if is_of(measured, row)]
        if len(fitting) > 1:
            raise ModelError(
                f"{len(fitting)} of our results would stand beside one published {row.metric} "
                f"({_joined(row.model, row.loss, row.structure, row.phase)}).",
                hint="Name the model and the loss of each as the paper does, or compare one run.",
            )
        used.update(fitting)
        pairs.append((left[fitting[0]] if fitting else None, row))
    pairs += [(measured, None) for number, measured in enumerate(left) if number not in used]
    return pairs


def table_beside(
    ours: Iterable[Measured],
    published: Iterable[PublishedValue],
    *,
    title: str = "",
    more_of_ours: bool = False,
) -> Table:
    """Our results beside published ones, a row for each published number.

    A number that means nothing is shown with a note, but no difference is taken from it; from a
    misprint it is taken from the corrected value. Columns without any entry are left out.

    Args:
        ours: What was measured.
        published: What it is held against.
        title: Of the table.
        more_of_ours: Whether rows follow for what of ours no paper tells.

    Raises:
        ModelError: See `pair_up`.
    """
    notes: list[str] = []
    rows = []
    for mine, theirs in pair_up(ours, published):
        if theirs is None and not more_of_ours:
            continue
        one = theirs or mine
        found = [getattr(one, name, "") for name in _SHOWN]
        value = mine.value if mine else None
        target = theirs.target if theirs else None
        difference = None if value is None or target is None else value - target
        number = _note_number(theirs, notes)
        rows.append((*found, value, theirs.value if theirs else None, difference, number))
    columns = (*_SHOWN, "ours", "published", "difference", "note")
    filled = [
        place
        for place, column in enumerate(columns)
        if column in ("ours", "published") or any(row[place] not in ("", None) for row in rows)
    ]
    return Table(
        tuple(columns[place] for place in filled),
        tuple(tuple(row[place] for place in filled) for row in rows),
        tuple(notes),
        title,
    )


def _note_number(row: PublishedValue | None, notes: list[str]) -> int | None:
    """The number of the note on a published value, which is added to the notes if it is new."""
    if row is None or row.erratum is None:
        return None
    kind = row.erratum.kind
    text = row.erratum.text if kind == "caution" else f"{kind.capitalize()}. {row.erratum.text}"
    if row.erratum.corrected is not None:
        text += f" Compared with {row.erratum.corrected:g}."
    if text not in notes:
        notes.append(text)
    return notes.index(text) + 1


def points_beside(
    ours: Iterable[Measured], published: Iterable[PublishedValue], *, metric: str = "dice"
) -> "list[ComparedValue]":
    """One metric of both sides for `engine.drawing.bars.make_comparison_figure`.

    There is a point for each published number, and none for what of ours no paper tells.

    Raises:
        ModelError: See `pair_up`.
    """
    from engine.drawing.bars import ComparedValue
    from engine.drawing.canvas import class_title

    points = []
    for mine, theirs in pair_up(
        (one for one in ours if one.metric == metric),
        (one for one in published if one.metric == metric),
    ):
        if theirs is None:
            continue
        what = (
            *(theirs.criterion, theirs.slices, class_title(theirs.structure)),
            *(theirs.phase, theirs.quantity),
        )
        label = ": ".join(filter(None, (_joined(theirs.model, theirs.loss), _joined(*what))))
        points.append(
            ComparedValue(
                label or metric,
                mine.value if mine else None,
                theirs.value,
                low=mine.low if mine else None,
                high=mine.high if mine else None,
                void=theirs.target is None,
            )
        )
    return points


def _joined(*words: str) -> str:
    return " ".join(filter(None, words))


class _Named(BaseModel):
    """A part of the file that may say anything of what its numbers are of."""

    model_config = ConfigDict(frozen=True, extra="allow")
    __pydantic_extra__: dict[str, str] = Field(init=False)

    @model_validator(mode="after")
    def _says_nothing_else(self) -> Self:
        for name in self.said:
            if name not in _SAID:
                raise ValueError(f"there is no field {name}{nearest(name, _SAID)}")
        return self

    @property
    def said(self) -> dict[str, str]:
        return self.__pydantic_extra__


class _Row(_Named):
    values: tuple[int | float, ...]


class _PrintedTable(_Named):
    paper: str
    name: str
    columns: tuple[_Named, ...]
    rows: tuple[_Row, ...]

    def expand(self) -> Iterator[dict[str, Any]]:
        own = {"paper": self.paper, "table": self.name}
        for row in self.rows:
            for column, value in zip(self.columns, row.values, strict=True):
                yield self.said | column.said | row.said | own | {"value": value}


class _Erratum(_Part):
    paper: str
    kind: ErratumKind
    text: str
    corrected: float | None = None
    select: dict[str, tuple[str, ...]]

    def fits(self, row: dict[str, Any]) -> bool:
        wanted = {"paper": (self.paper,), **self.select}
        return all(row.get(name, "") in values for name, values in wanted.items())


class _File(_Part):
    papers: dict[str, Paper]
    tables: tuple[_PrintedTable, ...]
    errata: tuple[_Erratum, ...]


@cache
def _read() -> _File:
    text = resource_path("published.toml").read_text(encoding="utf-8")
    return _File.model_validate(tomllib.loads(text))


@cache
def _all_rows() -> Sequence[PublishedValue]:
    file = _read()
    rows = []
    for row in (row for table in file.tables for row in table.expand()):
        fitting = [erratum for erratum in file.errata if erratum.fits(row)]
        assert len(fitting) <= 1, f"two errata for {row}"
        errata = [Erratum(e.kind, e.text, e.corrected) for e in fitting]
        rows.append(PublishedValue(**row, erratum=errata[0] if errata else None))
    return tuple(rows)
