"""The checks of labels on the ACDC references: faults put in are found, sound labels are quiet."""

from pathlib import Path

import pytest

from tests.lint_faults import DAMAGES, Tally, measure, reference_patients

pytestmark = pytest.mark.real_data

_EVERY = 2  # patients, for the sake of time; `python -m tests.lint_faults` takes all 80


@pytest.fixture(scope="module")
def table(acdc: Path) -> dict[str, Tally]:
    return measure(list(reference_patients(acdc, every=_EVERY)))


@pytest.fixture(scope="module")
def acdc() -> Path:
    from tests.conftest import data_root

    folder = data_root() / "acdc"
    if not folder.is_dir():
        pytest.skip(f"no ACDC references at {folder}; set HEARTSEG_DATA")
    return folder


@pytest.mark.parametrize("fault", DAMAGES)
def test_a_fault_is_found_in_19_of_20_patients(fault: str, table: dict[str, Tally]) -> None:
    tally = table[fault]

    assert tally.faulty >= 0.9 * tally.studies, "the fault must fit nearly every patient"
    assert tally.sensitivity >= 0.95, tally.missed


@pytest.mark.parametrize("fault", DAMAGES)
def test_references_hardly_ever_alarm(fault: str, table: dict[str, Tally]) -> None:
    """One of 40 patients is 2.5 %, the finest that half of the set can tell; all 80 give 1.2 %."""
    assert len(table[fault].alarms) <= 1, table[fault].alarms
