"""Measurements of many studies, which two readings are compared, and how they agree."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from engine.clinical.conventions import Conventions

if TYPE_CHECKING:
    from engine.clinical.measured_readings import MeasuredReadings
    from engine.clinical.measured_sources import Gathered
    from engine.scoring.agreement_pairs import MeasuredPairs
    from engine.scoring.agreement_summary import AgreementSummary

_FACTORS = (1.96, 2.0)
_PREFERRED = "reference"


@dataclass(frozen=True, slots=True)
class AgreementChoice:
    """What is compared.

    Attributes:
        first: Name of the reading that is judged.
        second: Name of the one it is held against.
        quantity: Key of the quantity.
        group: Of the patients that are drawn; "" for all.
        limits_factor: SDs from the bias to a limit, 1.96 or 2.
    """

    first: str = ""
    second: str = ""
    quantity: str = ""
    group: str = ""
    limits_factor: float = _FACTORS[0]


@dataclass(frozen=True, slots=True, eq=False)
class AgreementResult:
    """How the chosen readings agree.

    Attributes:
        choice: What was compared.
        pairs: Of all groups.
        summaries: Of all patients, then of each group.
        refusal: Why they cannot be compared; empty where they can.
    """

    choice: AgreementChoice
    pairs: "MeasuredPairs | None" = None
    summaries: "tuple[AgreementSummary, ...]" = ()
    refusal: str = ""

    @property
    def shown_pairs(self) -> "MeasuredPairs | None":
        """Those of the chosen group."""
        return None if self.pairs is None else self.pairs.of_group(self.choice.group)

    @property
    def shown_summary(self) -> "AgreementSummary | None":
        """That of the chosen group."""
        for each in self.summaries:
            if each.group == self.choice.group:
                return each
        return None


class AgreementState(QObject):
    """The measurements that were read, the choice among them, and what came of it.

    Signals:
        readings_changed: Other measurements.
        choice_changed: Something else is to be compared.
        result_changed: It was compared, or is not known any more.
        mark_changed: Another study is marked in the plots.
        conventions_changed: Labels are to be measured another way.
    """

    readings_changed = Signal()
    choice_changed = Signal()
    result_changed = Signal()
    mark_changed = Signal()
    conventions_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._sources: tuple[Path, ...] = ()
        self._gathered: Gathered | None = None
        self._choice = AgreementChoice()
        self._result = AgreementResult(self._choice)
        self._mark = ""
        self._conventions = Conventions()
        self._places: dict[str, Path] = {}

    @property
    def conventions(self) -> Conventions:
        """How labels are measured; tables and reports were measured before."""
        return self._conventions

    @property
    def sources(self) -> tuple[Path, ...]:
        """Where the measurements come from."""
        return self._sources

    @property
    def gathered(self) -> "Gathered | None":
        """All measurements, and what could not be measured; None before any were read."""
        return self._gathered

    @property
    def readings(self) -> "MeasuredReadings | None":
        """All measurements."""
        return None if self._gathered is None else self._gathered.readings

    @property
    def choice(self) -> AgreementChoice:
        """What is compared."""
        return self._choice

    @property
    def result(self) -> AgreementResult:
        """How it agrees; without pairs while that is not known."""
        return self._result

    @property
    def mark(self) -> str:
        """The study whose points are marked, or empty."""
        return self._mark

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups of patients, where there is more than one."""
        found = () if self.readings is None else self.readings.groups
        return found if len(found) > 1 else ()

    def set_gathered(self, sources: tuple[Path, ...], gathered: "Gathered | None") -> None:
        """Take other measurements; what was chosen stays chosen as far as it is still there."""
        self._sources, self._gathered = sources, gathered
        self._mark = ""
        self._result = AgreementResult(self._choice)
        self._choice = self._possible(self._choice)
        self.readings_changed.emit()
        self.choice_changed.emit()
        self.result_changed.emit()

    def choose(
        self,
        *,
        first: str | None = None,
        second: str | None = None,
        quantity: str | None = None,
        group: str | None = None,
        limits_factor: float | None = None,
    ) -> None:
        """Compare something else; what is None stays."""
        named = {
            "first": first,
            "second": second,
            "quantity": quantity,
            "group": group,
            "limits_factor": limits_factor,
        }
        wanted = {name: value for name, value in named.items() if value is not None}
        changed = self._possible(replace(self._choice, **wanted))  # type: ignore[arg-type]
        if changed != self._choice:
            self._choice = changed
            self.choice_changed.emit()

    def set_result(self, result: AgreementResult) -> None:
        """Take how the readings agree."""
        self._result = result
        self.result_changed.emit()

    def set_mark(self, study: str) -> None:
        """Mark the points of a study; "" for none."""
        if study != self._mark:
            self._mark = study
            self.mark_changed.emit()

    def set_conventions(self, conventions: Conventions) -> None:
        """Measure labels another way from the next reading on."""
        if conventions != self._conventions:
            self._conventions = conventions
            self.conventions_changed.emit()

    def know_places(self, places: Mapping[str, Path]) -> None:
        """Learn where studies lie whose table does not say so, by name."""
        self._places.update(places)

    def folder_of(self, study: str) -> Path | None:
        """Where a study lies, if anybody said so."""
        rows = () if self.readings is None else self.readings.rows
        told = (row.folder for row in rows if row.study == study and row.folder)
        return next(told, self._places.get(study))

    def _possible(self, wanted: AgreementChoice) -> AgreementChoice:
        """The nearest choice that can be made of the measurements."""
        readings = self.readings
        if readings is None or len(readings.readings) < 2:
            return replace(wanted, first="", second="", quantity="", group="")
        names, keys = readings.readings, readings.quantities
        last = next((name for name in names if name.lower() == _PREFERRED), names[-1])
        second = wanted.second if wanted.second in names else last
        others = [name for name in names if name != second]
        first = wanted.first if wanted.first in names else others[0]
        key = "lv_ef_percent" if "lv_ef_percent" in keys else keys[0] if keys else ""
        return replace(
            wanted,
            first=first,
            second=second,
            quantity=wanted.quantity if wanted.quantity in keys else key,
            group=wanted.group if wanted.group in self.groups else "",
            limits_factor=wanted.limits_factor if wanted.limits_factor in _FACTORS else _FACTORS[0],
        )
