"""Studies that a model was not made for: an answer on their grid or a clear refusal, never more."""

import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from engine.cine import Cine
from engine.cli import main
from engine.errors import HeartSegError, ModelError
from engine.geometry import Geometry
from engine.learning.checkpoint import Model, load_model
from engine.learning.inference import Prediction, predict
from engine.learning.input_check import refuse_unusable_images
from engine.progress import run_to_end
from tests.discs import tiny_recipe
from tests.engine.test_models import put_model

Shape = tuple[int, int, int, int]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A tiny network that was trained on nothing, so that it calls everything something."""
    return load_model(put_model(tmp_path_factory.mktemp("models") / "tiny"))


def cine_of(voxels: np.ndarray, *, spacing_mm: tuple[float, float, float] = (8, 1.4, 1.4)) -> Cine:
    z, y, x = spacing_mm
    geometry = Geometry.from_affine(np.diag([x, y, z, 1.0]), voxels.shape[1:])
    return Cine("odd stack", voxels, geometry)


def noise(shape: Shape, kind: Any = np.float32) -> np.ndarray:
    return np.random.default_rng(0).normal(100, 20, shape).clip(0, 120).astype(kind)


def label(model: Model, cine: Cine, **options: Any) -> Prediction:
    return run_to_end(predict(model, cine, device="cpu", **options))


@pytest.mark.parametrize(
    ("shape", "phases"),
    [
        ((3, 1, 64, 64), 2),
        ((1, 6, 64, 64), 1),
        ((1, 1, 64, 64), 1),
        ((2, 3, 64, 64), 2),
        ((1, 200, 24, 24), 1),
        ((2, 4, 8, 8), 2),
        ((1, 2, 1, 1), 1),
        ((1, 3, 8, 300), 1),
        ((60, 1, 16, 16), 2),
    ],
    ids=lambda value: "x".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_any_number_of_phases_slices_and_pixels_is_labelled(
    shape: Shape, phases: int, model: Model
) -> None:
    prediction = label(model, cine_of(noise(shape)))

    assert prediction.voxels.shape == shape
    assert prediction.voxels.dtype == np.uint8
    assert prediction.voxels.max() <= 3
    assert 1 <= len(prediction.phases) <= phases
    assert all(0 <= phase < shape[0] for phase in prediction.phases)


def test_a_very_large_slice_is_labelled(model: Model) -> None:
    prediction = label(model, cine_of(noise((1, 1, 2048, 2048)), spacing_mm=(8, 0.17, 0.17)))

    assert prediction.voxels.shape == (1, 1, 2048, 2048)


@pytest.mark.parametrize("grey", [0, 7, 65535])
def test_a_constant_image_is_answered(grey: int, model: Model) -> None:
    """No division by the range of grey, which is 0."""
    prediction = label(model, cine_of(np.full((2, 3, 48, 48), grey, np.uint16)))

    assert prediction.phases == (0, 1)
    assert np.array_equal(prediction.voxels[0], prediction.voxels[1])


@pytest.mark.parametrize("kind", [bool, np.int8, np.uint8, ">i2", np.uint32, np.float64])
def test_any_kind_of_number_is_taken(kind: Any, model: Model) -> None:
    voxels = noise((1, 3, 48, 48)).astype(kind)

    assert label(model, cine_of(voxels)).voxels.shape == voxels.shape


@pytest.mark.parametrize("pixel_mm", [0.01, 0.3, 20.0])
def test_odd_pixel_sizes_are_taken_as_far_as_memory_goes(pixel_mm: float, model: Model) -> None:
    cine = cine_of(noise((1, 2, 64, 64)), spacing_mm=(8, pixel_mm, pixel_mm))

    assert label(model, cine).voxels.shape == cine.shape


def spoilt(where: str, value: float) -> np.ndarray:
    voxels = noise((2, 3, 48, 48))
    place: dict[str, Any] = {
        "everywhere": ...,
        "one voxel": (0, 0, 0, 0),
        "a rim": (slice(None), slice(None), slice(0, 4)),
        "one phase": 1,
    }
    voxels[place[where]] = value
    return voxels


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("everywhere", np.nan),
        ("one voxel", np.nan),
        ("a rim", np.nan),
        ("one phase", np.nan),
        ("one voxel", np.inf),
        ("one voxel", -np.inf),
    ],
)
def test_voxels_that_are_no_numbers_are_refused(where: str, value: float, model: Model) -> None:
    """Else a single one would make the whole answer background, unsaid."""
    with pytest.raises(ModelError, match=r"voxels of odd stack are not numbers"):
        label(model, cine_of(spoilt(where, value)))


@pytest.mark.parametrize("where", ["everywhere", "one voxel"])
def test_the_check_counts_what_is_no_number(where: str) -> None:
    voxels = spoilt(where, np.nan)
    with pytest.raises(ModelError) as refused:
        refuse_unusable_images(cine_of(voxels), tiny_recipe())

    assert refused.value.what.startswith(f"{np.isnan(voxels).sum()} voxels")
    refuse_unusable_images(cine_of(noise((2, 3, 48, 48))), tiny_recipe())


def test_slices_metres_wide_are_refused_before_memory_runs_out(model: Model) -> None:
    """256 pixels of 50 mm would be 8533 pixels of 1.5 mm a side."""
    cine = cine_of(noise((1, 2, 256, 256), np.uint8), spacing_mm=(8, 50, 50))
    with pytest.raises(ModelError, match="1280 x 1280 cm large, 8533 x 8533 pixels"):
        label(model, cine)


@pytest.mark.parametrize(
    ("shape", "pixel_mm", "changes", "fits"),
    [
        ((1, 1, 2048, 8), 1.5, {}, True),
        ((1, 1, 2049, 8), 1.5, {}, False),
        ((1, 1, 8, 64), 49.0, {}, False),
        ((1, 1, 2048, 8), 9.0, {"image__spacing_mm": None}, True),
        ((1, 1, 8, 2049), 0.1, {"image__spacing_mm": None}, False),
        ((1, 1, 8, 2049), 9.0, {"image__fit": "resize"}, True),
        ((1, 1, 8, 2049), 9.0, {"image__fit": "crop"}, False),
    ],
)
def test_the_check_counts_pixels_as_the_network_sees_them(
    shape: Shape, pixel_mm: float, changes: dict[str, object], fits: bool
) -> None:
    cine = cine_of(np.zeros(shape, np.uint8), spacing_mm=(8, pixel_mm, pixel_mm))
    recipe = tiny_recipe(**changes)
    if fits:
        refuse_unusable_images(cine, recipe)
        return
    with pytest.raises(ModelError, match="cm large"):
        refuse_unusable_images(cine, recipe)


def write_patient(folder: Path, voxels: np.ndarray, *, pixel_mm: float = 1.4) -> Path:
    """A NIfTI file of (t, z, y, x) in a folder of its own."""
    folder.mkdir()
    image = nib.Nifti1Image(voxels.transpose(3, 2, 1, 0), np.diag([pixel_mm, pixel_mm, 8, 1]))
    image.header.set_xyzt_units("mm", "sec")
    nib.save(image, folder / "cine.nii.gz")
    return folder


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("HEARTSEG_MODELS", str(tmp_path / "models"))
    put_model(tmp_path / "models" / "tiny")
    return "tiny"


_CASES: dict[str, np.ndarray] = {
    "one slice": noise((4, 1, 48, 48), np.int16),
    "one phase": noise((1, 5, 48, 48), np.int16),
    "three slices": noise((4, 3, 48, 48), np.int16),
    "200 slices": noise((2, 200, 24, 24), np.int16),
    "constant": np.full((3, 4, 48, 48), 9, np.int16),
    "tiny slices": noise((3, 4, 8, 8), np.int16),
    "NaN": np.full((3, 4, 48, 48), np.nan, np.float32),
    "a NaN": spoilt("one voxel", np.nan),
    "huge": noise((1, 1, 1024, 2048), np.int16),
}


@pytest.mark.parametrize("case", _CASES)
def test_the_command_answers_or_refuses_in_two_lines(
    case: str, tiny: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 0 with labels on the study's grid, or 2 with what and what to do; never 1."""
    voxels = _CASES[case]
    patient = write_patient(tmp_path / "patient", voxels, pixel_mm=0.2 if case == "huge" else 1.4)
    out = tmp_path / "out"
    code = main(["predict", str(patient), "--out", str(out), "--model", tiny, "--device", "cpu"])
    said = capsys.readouterr()

    assert code in (0, 2), said.err
    assert "Traceback" not in said.err
    if code == 0:
        if np.isnan(voxels.astype(np.float32)).any():  # the reader makes them 0, and says so
            assert "not numbers" in " ".join(said.err.split())
        labels = nib.load(out / "labels.nii.gz")
        assert labels.shape == tuple(np.array(voxels.shape)[[3, 2, 1, 0]])
        json.loads((out / "report.json").read_text(), parse_constant=pytest.fail)
        return
    assert not (out / "labels.nii.gz").exists()
    assert len([line for line in said.err.splitlines() if line.strip()]) == 2


def test_the_command_labels_images_without_a_pixel_size(
    tiny: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The labels come; the report says why there are no volumes."""
    patient = tmp_path / "patient"
    patient.mkdir()
    for number, plane in enumerate(noise((1, 3, 64, 64), np.uint8)[0]):
        Image.fromarray(plane).save(patient / f"slice{number}.png")
    code = main(["predict", str(patient), "--out", str(tmp_path / "out"), "--model", tiny])
    said = capsys.readouterr()
    facts = json.loads((tmp_path / "out" / "report.json").read_text())

    assert code == 0, said.err
    assert (tmp_path / "out" / "labels.nii.gz").is_file()
    assert "not known" in " ".join(facts["warnings"])
    assert facts["lv"]["edv_ml"] is None


def test_every_refusal_here_is_one_that_the_window_shows(model: Model) -> None:
    """Its dialog shows what and hint of a `HeartSegError`; all else is a mistake of ours."""
    for voxels in (spoilt("everywhere", np.nan), np.zeros((0, 2, 8, 8), np.uint8)):
        with pytest.raises(HeartSegError) as refused:
            refuse_unusable_images(cine_of(voxels), model.recipe)
        assert refused.value.what
        assert refused.value.hint
