"""The numbers of real hearts against what is known of them."""

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from engine.cine import Cine
from engine.clinical.basal import BasalRule
from engine.clinical.conventions import SliceDistance
from engine.clinical.insertion import UpSource
from engine.clinical.quantities import Quantities, measure_quantities
from engine.io.nifti import read_nifti
from engine.io.study_folder import read_study
from engine.labelmap import LabelMap
from engine.progress import run_to_end
from engine.structures import Structure
from engine.study import Patient, Stack

pytestmark = pytest.mark.real_data

EF_OF_GROUP = {"DCM": 18.0, "HCM": 69.3, "MINF": 30.8, "NOR": 59.8, "RV": 54.6}
"""Means of 16 patients each, as the note beside the data gives them [%]."""


def reference(folder: Path) -> tuple[str, Quantities]:
    """Group and numbers of an ACDC patient from its reference labels alone, ED then ES."""
    facts = dict(line.split(": ") for line in (folder / "Info.cfg").read_text().splitlines())
    frames = [
        folder / f"{folder.name}_frame{int(facts[name]):02d}_gt.nii.gz" for name in ("ED", "ES")
    ]
    images = [run_to_end(read_nifti(frame)) for frame in frames]
    voxels = np.stack([image.voxels[0] for image in images]).astype(np.uint8)
    labels = LabelMap(voxels, images[0].geometry)
    stack = Stack(Cine("reference", voxels, images[0].geometry), tuple(frames))
    return facts["Group"].strip(), measure_quantities(stack, labels, Patient())


def test_reference_labels_give_the_ejection_fractions_of_their_groups(real_data: Path) -> None:
    fractions: dict[str, list[float]] = defaultdict(list)
    walls: dict[str, list[float]] = defaultdict(list)
    for folder in sorted((real_data / "acdc" / "training").glob("patient*")):
        group, found = reference(folder)
        fraction = found.volumes.lv.ejection_fraction
        assert fraction is not None, folder
        fractions[group].append(100 * fraction)
        if found.wall.largest_ed_mm is not None:
            walls[group].append(found.wall.largest_ed_mm)

    assert {group: len(each) for group, each in fractions.items()} == dict.fromkeys(EF_OF_GROUP, 16)
    for group, expected in EF_OF_GROUP.items():
        assert np.mean(fractions[group]) == pytest.approx(expected, abs=0.06), group
    # hypertrophic walls are the thickest, and only few stacks allow no segments
    assert np.mean(walls["HCM"]) > 1.3 * np.mean(walls["NOR"])
    assert sum(map(len, walls.values())) >= 72


def test_the_expert_contours_of_a_patient_with_heart_failure(real_data: Path) -> None:
    """SC-HF-I-1 (GE, 10 mm apart): EDV 191 ml, ESV 141 ml, EF 26.2 %, mass 116 g at ED.

    The group of heart failure with infarct has a mean of 25 %. By hand from the contours: areas
    of the polygons (shoelace) times 10 mm give the same volumes within a pixel along the border.
    """
    from engine.io.contours import read_points

    folder = real_data / "sunnybrook_dicom"
    study = run_to_end(read_study(folder))
    stack = study.stacks[0]
    found = measure_quantities(stack, study.labels[0].labels, study.patient)
    volumes, pixel_mm2 = found.volumes, stack.cine.geometry.spacing_mm[1] ** 2
    by_hand_ml: dict[int, float] = defaultdict(float)
    for path in sorted((folder / "contourfiles").rglob("*icontour-manual.txt")):
        x, y = read_points(path).T
        area = abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2 * pixel_mm2
        by_hand_ml[(int(path.name[8:12]) - 1) % 20] += area * 10.0 / 1000

    assert (volumes.choice.ed, volumes.choice.es) == (18, 7)
    assert volumes.lv.end_diastolic_ml == pytest.approx(by_hand_ml[18], rel=0.03)
    assert volumes.lv.end_systolic_ml == pytest.approx(by_hand_ml[7], rel=0.03)
    assert volumes.lv.end_diastolic_ml == pytest.approx(191.2, abs=0.1)
    assert volumes.lv.end_systolic_ml == pytest.approx(141.1, abs=0.1)
    assert 100 * (volumes.lv.ejection_fraction or 0) == pytest.approx(26.2, abs=0.05)
    assert volumes.mass_ed_g == pytest.approx(116.3, abs=0.1)
    assert volumes.mass_es_g is None  # no outer contours at ES
    assert found.conventions.slice_distance is SliceDistance.POSITIONS
    assert "no septum" in found.wall.why_not
    assert found.basal.rules[1].rule is BasalRule.HALF
    assert "No myocardium is drawn at ES" in found.basal.rules[1].why_not


def test_oblique_images_tell_which_insertion_point_is_anterior(real_data: Path) -> None:
    """The rows of these files run from back to front: the picture alone would say the opposite."""
    from engine.clinical.insertion import find_points

    found = 0
    for path in sorted((real_data / "mscmr_lge").glob("subject1[0-2]_DE_manual.nii.gz")):
        image = run_to_end(read_nifti(path))
        labels, geometry = image.voxels[0].astype(np.uint8), image.geometry
        for z in np.flatnonzero((labels == Structure.LV).any(axis=(1, 2))).tolist():
            points = find_points(labels[z], geometry)
            if points is None:
                continue
            found += 1
            ends = [
                geometry.position_mm(z=z, y=y, x=x)
                for y, x in (
                    points.place(angle, 30.0, geometry)
                    for angle in (points.anterior_deg, points.inferior_deg)
                )
            ]
            assert points.source is UpSource.PATIENT
            assert ends[0][1] > ends[1][1]
            assert ends[0][2] > ends[1][2]
    assert found > 20
