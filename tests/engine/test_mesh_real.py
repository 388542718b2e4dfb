"""Surfaces of real labels: sound, and as large as the voxels."""

from pathlib import Path

import numpy as np
import pytest

from engine.geometry import Geometry
from engine.io.nifti import read_nifti
from engine.mesh.shaping import surface
from engine.mesh.soundness import soundness
from engine.progress import run_to_end
from engine.structures import HEART_STRUCTURES, Structure
from tests.meshes import euler_number

_THINNEST = ("patient030", "patient083")
"""The smallest cavities at end-systole of the patients here."""

pytestmark = pytest.mark.real_data


def _labels(path: Path) -> tuple[np.ndarray, Geometry]:
    image = run_to_end(read_nifti(path))
    voxels = image.voxels[0]
    return np.ascontiguousarray(voxels.astype(np.uint8)), image.geometry


@pytest.mark.parametrize("patient", _THINNEST)
def test_r0_8_surfaces_of_the_thinnest_hearts_are_sound_and_keep_their_volume(
    patient: str, real_data: Path
) -> None:
    """Within 2 per cent of the voxels, at end-systole too, where 5 would do."""
    files = sorted((real_data / "acdc" / "training" / patient).glob("*_gt.nii.gz"))
    assert len(files) == 2
    for file in files:
        labels, geometry = _labels(file)
        for structure in HEART_STRUCTURES:
            made = surface(labels, geometry, structure)

            assert made is not None
            voxel_ml = np.count_nonzero(labels == structure) * geometry.voxel_ml
            found = soundness(made, voxel_ml)
            assert found.is_sound, (file.name, structure, found)
            assert abs(found.volume_error) < 0.02


def test_thin_walls_of_real_labels_are_not_pierced(real_data: Path) -> None:
    """All rings of these labels are closed, and open at both ends: tubes, however they lean."""
    for patient in ("patient014", "patient091"):
        folder = real_data / "acdc" / "training" / patient
        labels, geometry = _labels(min(folder.glob("*_gt.nii.gz")))

        made = surface(labels, geometry, Structure.MYOCARDIUM)

        assert made is not None
        assert euler_number(made) == 0


def test_surfaces_of_oblique_late_enhancement_lie_in_the_patient(real_data: Path) -> None:
    """Thin slices and fine pixels whose axes run otherwise than the patient's."""
    file = min((real_data / "mscmr_lge").glob("*_DE_manual.nii.gz"))
    labels, geometry = _labels(file)
    for structure in HEART_STRUCTURES:
        made = surface(labels, geometry, structure)

        assert made is not None
        voxel_ml = np.count_nonzero(labels == structure) * geometry.voxel_ml
        found = soundness(made, voxel_ml)
        assert found.is_sound
        assert abs(found.volume_error) < 0.02
        z, y, x = np.argwhere(labels == structure).mean(axis=0)
        middle = made.vertices_mm.mean(axis=0)
        assert np.linalg.norm(middle - geometry.position_mm(z=z, y=y, x=x)) < 8


def test_the_surface_of_a_left_atrium_is_sound(real_data: Path) -> None:
    file = min((real_data / "left_atrium").glob("*/label.nii.gz"))
    labels, geometry = _labels(file)

    made = surface(labels, geometry, Structure(1))

    assert made is not None
    found = soundness(made, np.count_nonzero(labels == 1) * geometry.voxel_ml)
    assert found.is_sound
    assert abs(found.volume_error) < 0.02
