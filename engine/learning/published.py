"""Published results, from resources/published.toml."""

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from engine.errors import ModelError
from engine.learning.measured import Place
from engine.spelling import nearest
from resources import resource_path

ErratumKind = Literal["void", "degenerate", "misprint", "caution"]

_SAID = (*(place.name for place in fields(Place)), "metric", "unit")
"""What a part of the file may say of its numbers."""

_TEXTS = (*_SAID, "table")


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
