"""Foreign numbers land on the same structures, and unknown stays unknown."""

from pathlib import Path

import numpy as np
import pytest

from engine.datasets.catalogue import LABELS_OF, read_labelled, read_sunnybrook
from engine.datasets.labelled import bits_of
from engine.errors import ModelError
from engine.progress import run_to_end
from engine.structures import Structure


def test_acdc_mnms_and_ukbb_land_on_the_same_structures() -> None:
    """Fact of the data sets: ACDC counts the RV as 1, M&Ms and UK Biobank the LV."""
    assert LABELS_OF["acdc"][1] is Structure.RV
    assert LABELS_OF["acdc"][3] is Structure.LV
    assert LABELS_OF["mnms"][1] is LABELS_OF["ukbb"][1] is Structure.LV
    assert LABELS_OF["mnms"][3] is LABELS_OF["ukbb"][4] is Structure.RV
    for numbers in LABELS_OF.values():
        assert set(numbers.values()) == set(Structure)


def test_certain_labels_have_one_bit() -> None:
    assert bits_of(np.array([0, 1, 2, 3], np.uint8)).tolist() == [1, 2, 4, 8]


def write_slices(path: Path) -> None:
    """Two slices of one patient: with and without an epicardial contour."""
    label = np.zeros((2, 16, 16), np.uint8)
    label[:, 6:10, 6:10] = 3
    label[0][(label[0] == 0) & (np.hypot(*np.mgrid[-8:8, -8:8]) < 6)] = 2
    np.savez(
        path,
        image=np.full((2, 16, 16), 100, np.uint16),
        label=label,
        patient=np.array(["SC-HF-I-01", "SC-HF-I-01"]),
        index=np.arange(2),
    )


def test_sunnybrook_background_may_be_rv_and_wall_where_no_one_drew_it(tmp_path: Path) -> None:
    write_slices(tmp_path / "slices.npz")
    (patient,) = read_sunnybrook(tmp_path / "slices.npz")
    possible = patient.volumes[0].possible

    assert patient.group == "SCD-HF-I"
    assert not patient.volumes[0].complete
    assert possible[0, 0, 0] == 0b0011  # background or RV
    assert possible[1, 0, 0] == 0b0111  # background, RV or myocardium
    assert (possible[:, 7, 7] == 0b1000).all()


def test_a_folder_without_labels_is_told_apart(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    with pytest.raises(ModelError, match="No labelled patients"):
        run_to_end(read_labelled(tmp_path))


@pytest.mark.real_data
def test_acdc_patients_come_with_group_and_both_phases(real_data: Path, tmp_path: Path) -> None:
    (tmp_path / "patient090").symlink_to(real_data / "acdc" / "training" / "patient090")
    (patient,) = run_to_end(read_labelled(tmp_path))

    assert patient.name == "patient090"
    assert patient.group
    assert [volume.phase for volume in patient.volumes] == ["ED", "ES"]
    assert all(volume.complete for volume in patient.volumes)
    first, second = (int((v.possible == 8).sum()) for v in patient.volumes)
    assert first > second, "patient090's ED is not its first frame: Info.cfg must be read"
