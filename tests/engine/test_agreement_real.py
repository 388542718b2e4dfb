"""Agreement on the ACDC references: one truth, whatever source it is read from."""

from pathlib import Path

import pytest

from engine.clinical.agreement_report import compare_all
from engine.clinical.measured_sources import Source, gather
from engine.progress import run_to_end

pytestmark = pytest.mark.real_data

PATIENTS = ("patient001", "patient021", "patient041", "patient061", "patient081")


def test_studies_and_their_label_files_give_the_same_numbers(
    real_data: Path, tmp_path: Path
) -> None:
    """A patient of each group, read as studies and as a folder of label files alone."""
    studies, labels = tmp_path / "studies", tmp_path / "labels"
    studies.mkdir()
    labels.mkdir()
    known = [each for each in PATIENTS if (real_data / "acdc" / "training" / each).is_dir()]
    for name in known:
        (studies / name).symlink_to(real_data / "acdc" / "training" / name)
        for file in (real_data / "acdc" / "training" / name).glob("*_gt.nii.gz"):
            (labels / file.name).symlink_to(file)
    found = run_to_end(gather([Source(studies), Source(labels, "files")]))
    facts = compare_all(found.readings, "Reference")

    assert len(known) >= 3
    assert found.readings.studies == tuple(known)
    assert len(found.readings.groups) == len(known)
    assert {each["quantity"] for each in facts["comparisons"]} >= {"lv_ef_percent", "rv_edv_ml"}
    for comparison in facts["comparisons"]:
        assert comparison["left_out"] == []
        whole = comparison["groups"]["all"]
        assert (whole["bias"], whole["sd"]) == pytest.approx((0, 0), abs=1e-9)
