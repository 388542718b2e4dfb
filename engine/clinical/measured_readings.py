"""Measurements of the same studies by several readers or models."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.clinical.conventions import Conventions, Quantity, require_same
from engine.errors import ConventionMismatchError, UnmeasurableError
from engine.scoring.agreement_pairs import MeasuredPairs, PairedPoint
from engine.scoring.quantities import in_order


@dataclass(frozen=True, slots=True)
class Measured:
    """What one reading of one study measured.

    Attributes:
        study: Its name; equal names are the same study.
        reading: Who measured: a reader, a model, "Reference".
        values: By the key of the quantity; None where it could not be measured.
        group: Of the patient, e.g. the diagnosis; or empty.
        folder: Where the study lies, if that is known.
        conventions: The choices behind the numbers; None where they are not known.
        from_dicom: Whether the name of the study is that of the patient of DICOM images.
    """

    study: str
    reading: str
    values: Mapping[str, float | None]
    group: str = ""
    folder: Path | None = None
    conventions: Conventions | None = field(default=None, repr=False)
    from_dicom: bool = False


class MeasuredReadings:
    """Every measurement that is at hand, by study and reading.

    Args:
        rows: In any order; at most one for each study and reading.

    Raises:
        UnmeasurableError: A reading measured a study twice.
    """

    def __init__(self, rows: Iterable[Measured]) -> None:
        self.rows = tuple(rows)
        self._by_place: dict[tuple[str, str], Measured] = {}
        for row in self.rows:
            if (row.reading, row.study) in self._by_place:
                raise UnmeasurableError(
                    f'"{row.reading}" measured the study {row.study} twice.',
                    hint="Give each reading a name of its own, e.g. "
                    '"second=PATH", or take one of the two out.',
                )
            self._by_place[row.reading, row.study] = row

    @property
    def readings(self) -> tuple[str, ...]:
        """Names of the readings, in the order in which they came."""
        return tuple(dict.fromkeys(row.reading for row in self.rows))

    @property
    def studies(self) -> tuple[str, ...]:
        """Names of the studies, in alphabetical order."""
        return tuple(sorted({row.study for row in self.rows}))

    @property
    def quantities(self) -> tuple[str, ...]:
        """Keys of what at least two readings have measured, those of papers first."""
        seen: dict[str, set[str]] = {}
        for row in self.rows:
            for key, value in row.values.items():
                if value is not None:
                    seen.setdefault(key, set()).add(row.reading)
        return tuple(in_order(key for key, who in seen.items() if len(who) > 1))

    @property
    def groups(self) -> tuple[str, ...]:
        """Groups of patients, in alphabetical order."""
        return tuple(sorted({row.group for row in self.rows if row.group}))

    def pairs(self, first: str, second: str, quantity: str) -> MeasuredPairs:
        """A quantity in two readings of every study that has either.

        Raises:
            UnmeasurableError: A reading is not there.
            ConventionMismatchError: The two measured a study in ways that forbid to compare it.
        """
        ours, theirs = self._of(first), self._of(second)
        points, left_out = [], []
        for study in sorted(ours.keys() | theirs.keys()):
            one, other = ours.get(study), theirs.get(study)
            values = [None if each is None else each.values.get(quantity) for each in (one, other)]
            if one is None or other is None or values[0] is None or values[1] is None:
                left_out.append(study)
                continue
            _refuse_mixed(one, other, quantity)
            group, folder = one.group or other.group, one.folder or other.folder
            points.append(PairedPoint(study, group, folder, values[0], values[1]))
        return MeasuredPairs(first, second, quantity, tuple(points), tuple(left_out))

    def conventions_of(self, reading: str) -> tuple[Conventions, ...]:
        """The choices behind the numbers of a reading; several only where studies differ."""
        rows = self._of(reading).values()
        return tuple(dict.fromkeys(each.conventions.chosen for each in rows if each.conventions))

    def table(self, readings: Sequence[str], quantity: str) -> NDArray[np.float64]:
        """A quantity in the studies that all of some readings have measured, (n, k)."""
        columns = [self._of(name) for name in readings]
        rows = []
        for study in self.studies:
            found = [each[study].values.get(quantity) for each in columns if study in each]
            if len(found) == len(columns) and None not in found:
                rows.append(found)
        return np.array(rows, np.float64).reshape(-1, len(columns))

    def _of(self, reading: str) -> dict[str, Measured]:
        found = {row.study: row for row in self.rows if row.reading == reading}
        if not found:
            known = ", ".join(f'"{name}"' for name in self.readings)
            raise UnmeasurableError(
                f'There is no reading "{reading}".', hint=f"There are {known or 'none'}."
            )
        return found


def _refuse_mixed(one: Measured, other: Measured, quantity: str) -> None:
    """Refuse to set two measurements side by side that mean different things."""
    if one.conventions is None or other.conventions is None:
        return
    try:
        require_same(one.conventions, other.conventions, touched_by(quantity))
    except ConventionMismatchError as error:
        raise ConventionMismatchError(
            f"{one.study}, {one.reading} against {other.reading}: {error.what}", hint=error.hint
        ) from error


def touched_by(quantity: str) -> tuple[Quantity, ...]:
    """Which conventions change a quantity, by its key, e.g. `lv_mass_index_g_m2`."""
    small = quantity.lower()
    touched = []
    if "mass" in small:
        touched.append(Quantity.MASS)
    elif small.startswith("rv"):
        touched.append(Quantity.RV_VOLUMES)
    elif not small.startswith("la"):
        touched.append(Quantity.LV_VOLUMES)
    if small.endswith("_m2"):
        touched.append(Quantity.INDICES)
    return tuple(touched)
