"""Prediction on the acquired grid, by networks whose answer is known."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.cine import Cine
from engine.datasets.catalogue import read_labelled
from engine.errors import ModelError
from engine.geometry import Geometry
from engine.learning.checkpoint import Model, load_model
from engine.learning.components import clean_up, keep_heart
from engine.learning.inference import predict
from engine.learning.models import ModelEntry
from engine.learning.patient_reading import PatientReader
from engine.learning.reading import Spacing, reader_of
from engine.progress import run_to_end
from engine.recipe import Recipe, ScoringRecipe, change_recipe
from engine.structures import Structure
from resources import resource_path

CPU = torch.device("cpu")


class Threshold(torch.nn.Module):
    """Calls everything above half the scaled range LV; looks at one channel."""

    stride = 4

    def __init__(self, *, classes: int = 4, channel: int = 0) -> None:
        super().__init__()
        self.classes, self.channel = classes, channel

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        logits = torch.zeros(image.shape[0], self.classes, *image.shape[2:])
        logits[:, -1] = 20 * (image[:, self.channel] - 0.5)
        return logits


def recipe(**sections: dict[str, object]) -> Recipe:
    made = Recipe(title="threshold", scoring=ScoringRecipe(clean_up="heart"))
    changes = {f"{s}.{name}": value for s, part in sections.items() for name, value in part.items()}
    return change_recipe(made, changes)


def model(made: Recipe | None = None, network: torch.nn.Module | None = None) -> Model:
    return Model(
        ModelEntry("threshold", Path(), made or recipe()), network or Threshold(), "0" * 64
    )


def label_volume(
    network: torch.nn.Module, made: Recipe, image: np.ndarray, spacing_mm: Spacing, device: Any,
    *, adjacent: bool = True,
) -> np.ndarray:  # fmt: skip
    """The class of every voxel, cleaned up as the recipe says."""
    return reader_of(network, made, device).read(image, spacing_mm, adjacent=adjacent).labels


def score_volume(
    network: torch.nn.Module, made: Recipe, image: np.ndarray, spacing_mm: Spacing, device: Any
) -> np.ndarray:
    """The probability of every class at every voxel."""
    scores = reader_of(network, made, device).read(image, spacing_mm, scores=True).scores
    assert scores is not None
    return scores


def beating_disc(phases: int = 9) -> Cine:
    """A bright disc whose area is smallest in phase 4 and largest in phase 8."""
    y, x = np.mgrid[:40, :52]
    radii = np.array([12, 11, 9, 7, 6, 7, 9, 11, 13])[:phases]
    discs = np.stack([np.hypot(y - 20, x - 26) < radius for radius in radii])
    voxels = np.repeat(discs[:, None], 5, axis=1).astype(np.uint16) * 100
    geometry = Geometry.from_affine(np.diag([1.2, 1.2, 8, 1]), (5, 40, 52))
    return Cine("disc", voxels, geometry)


def dice(one: np.ndarray, other: np.ndarray) -> float:
    return float(2 * (one & other).sum() / (one.sum() + other.sum()))


def test_ed_and_es_are_the_largest_and_smallest_cavity() -> None:
    prediction = run_to_end(predict(model(), beating_disc(), device="cpu"))

    assert prediction.phases == (4, 8)
    assert not prediction.voxels[[0, 1, 2, 3, 5, 6, 7]].any()
    assert prediction.provenance.model == "threshold"


def test_a_network_for_volumes_finds_ed_and_es_too() -> None:
    """Only middle slices are measured, though it looks at all of them."""
    made = model(recipe(data={"sample": "volume"}))
    prediction = run_to_end(predict(made, beating_disc(), device="cpu"))

    assert prediction.phases == (4, 8)


def test_known_phases_are_not_searched_for() -> None:
    prediction = run_to_end(predict(model(), beating_disc(), key_phases=(1, 3), device="cpu"))

    assert prediction.phases == (1, 3)


@settings(max_examples=10, deadline=None)
@given(wanted_mm=st.floats(0.8, 2.2))
def test_labels_lie_on_the_acquired_grid_whatever_the_network_sees(wanted_mm: float) -> None:
    cine = beating_disc()
    made = recipe(image={"spacing_mm": wanted_mm})
    prediction = run_to_end(predict(model(made), cine, phases=(0,), device="cpu"))
    truth, found = cine.voxels[0] > 50, prediction.voxels[0] == Structure.LV

    assert prediction.voxels.shape == cine.shape
    assert dice(truth, found) > 0.93


@pytest.mark.parametrize(
    "image",
    [
        {"fit": "patch", "spacing_mm": 1.5},
        {"fit": "patch", "spacing_mm": None},
        {"fit": "crop", "spacing_mm": None, "size": (32, 32)},
        {"fit": "crop", "spacing_mm": 1.0, "size": (64, 64), "scale": "min_max"},
        {"fit": "resize", "size": (64, 48), "scale": "max", "scale_over": "slice"},
        {"fit": "resize", "size": (80, 80), "clahe": True},
    ],
)
@pytest.mark.parametrize("sample", ["slice", "volume"])
def test_every_framing_is_undone(image: dict[str, object], sample: str) -> None:
    cine = beating_disc()
    made = recipe(image=image, data={"sample": sample})
    volume = cine.voxels[0]
    labels = label_volume(Threshold(), made, volume, cine.geometry.spacing_mm, CPU)
    scores = score_volume(Threshold(), made, volume, cine.geometry.spacing_mm, CPU)

    assert labels.dtype == np.uint8
    assert labels.shape == volume.shape
    assert dice(volume > 50, labels == Structure.LV) > 0.93
    assert scores.shape == (4, *volume.shape)
    assert scores.sum(axis=0) == pytest.approx(1, abs=1e-5)
    assert dice(scores.argmax(axis=0) == Structure.LV, labels == Structure.LV) > 0.999


def test_a_volume_of_other_slices_is_given_back_slice_by_slice() -> None:
    """The number of slices a volume was trained with does not bind later ones."""
    made = recipe(
        image={"fit": "resize", "size": (32, 32), "slice_spacing_mm": 4.0, "depth": 3},
        data={"sample": "volume"},
    )
    volume = np.zeros((7, 40, 40), np.uint8)
    volume[2:6, 10:30, 10:30] = 200
    labels = label_volume(Threshold(), made, volume, (8.0, 1.2, 1.2), CPU)

    assert labels.shape == volume.shape
    assert (labels[[0, 1, 6]] == 0).all()
    assert dice(labels[2:6] == Structure.LV, volume[2:6] > 0) > 0.95


@pytest.mark.parametrize(("neighbours", "channel", "shift"), [(3, 0, -1), (3, 2, 1), (5, 4, 2)])
def test_r1_3_the_network_sees_the_neighbours_of_each_slice(
    neighbours: int, channel: int, shift: int
) -> None:
    """R1-3: a network that looks at one neighbour finds what lies there; the ends repeat."""
    volume = np.zeros((6, 32, 32), np.uint8)
    for z in (0, 1, 3):
        volume[z, 8:24, 8:24] = 100
    made = recipe(
        data={"neighbours": neighbours},
        image={"scale": "max", "spacing_mm": None},
        scoring={"clean_up": "none"},
    )
    network = Threshold(channel=channel)
    labels = label_volume(network, made, volume, (8.0, 1.0, 1.0), CPU)
    alone = label_volume(network, made, volume, (8.0, 1.0, 1.0), CPU, adjacent=False)
    beside = [min(max(z + shift, 0), 5) in (0, 1, 3) for z in range(6)]

    assert (labels == Structure.LV).any(axis=(1, 2)).tolist() == beside
    assert np.array_equal(alone == Structure.LV, volume > 0)


@pytest.mark.parametrize("threshold", [0.5, 0.9])
def test_one_output_is_a_sigmoid_with_a_threshold(threshold: float) -> None:
    made = recipe(
        data={"task": "left_atrium"},
        network={"classes": 1},
        image={"fit": "resize", "size": (32, 32), "scale": "none"},
        scoring={"threshold": threshold, "clean_up": "none"},
    )
    ramp = np.linspace(0, 1, 32, dtype=np.float32) * np.ones((2, 32, 1), np.float32)
    network = Threshold(classes=1)
    scores = score_volume(network, made, ramp, (1.0, 1.0, 1.0), CPU)
    labels = label_volume(network, made, ramp, (1.0, 1.0, 1.0), CPU)

    assert scores.shape == (2, 2, 32, 32)
    assert np.allclose(scores[1], 1 / (1 + np.exp(-20 * (ramp - 0.5))), atol=1e-5)
    assert np.array_equal(labels == 1, scores[1] >= threshold)


def test_colour_frames_are_labelled() -> None:
    made = recipe(
        data={"task": "polyp"},
        network={"classes": 1},
        image={"fit": "resize", "size": (64, 64), "scale": "byte"},
        scoring={"clean_up": "none"},
    )
    frame = np.zeros((1, 90, 70, 3), np.uint8)
    frame[0, 20:60, 20:50, 2] = 255
    labels = label_volume(Threshold(classes=1, channel=2), made, frame, (1.0, 1.0, 1.0), CPU)

    assert labels.shape == (1, 90, 70)
    assert dice(labels == 1, frame[..., 2] > 0) > 0.95
    with pytest.raises(ModelError, match="1 channels"):
        label_volume(Threshold(), made, frame[..., 0], (1.0, 1.0, 1.0), CPU)


def test_a_cine_is_not_given_to_a_model_for_something_else() -> None:
    made = recipe(data={"task": "polyp"}, network={"classes": 1})

    with pytest.raises(ModelError, match="polyp"):
        run_to_end(predict(model(made), beating_disc(), device="cpu"))


def test_any_short_axis_recipe_predicts_a_cine() -> None:
    """Neighbours, equalisation and a crop: the search for ED and ES works the same."""
    made = recipe(
        data={"neighbours": 3},
        image={"fit": "crop", "size": (48, 48), "spacing_mm": None, "clahe": True},
        scoring={"clean_up": "largest"},
    )
    prediction = run_to_end(
        predict(model(made, Threshold(channel=1)), beating_disc(), device="cpu")
    )

    assert prediction.phases == (4, 8)


def test_a_full_gpu_falls_back_to_the_cpu_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The device is a stand-in; what is tested is that the answer comes, with a note."""
    from engine.learning import inference

    calls = []

    class Full(Threshold):
        def forward(self, image: torch.Tensor) -> torch.Tensor:
            calls.append(image.device.type)
            if image.device.type == "meta":
                raise torch.OutOfMemoryError("full")
            return super().forward(image)

    monkeypatch.setattr(inference, "choose_device", lambda _: torch.device("meta"))
    prediction = run_to_end(predict(model(None, Full()), beating_disc(), phases=(0,)))

    assert calls[0] == "meta"
    assert "CPU" in prediction.notes[0]
    assert (prediction.voxels[0] == Structure.LV).any()


class Watching(Threshold):
    """Remembers how large the images were that it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[tuple[int, ...]] = []

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        self.shown.append(tuple(image.shape[2:]))
        return super().forward(image)


def test_what_the_network_is_shown_does_not_depend_on_the_phase_on_the_screen() -> None:
    y, x = np.mgrid[:240, :260]
    discs = np.stack([np.hypot(y - 120, x - 130) < radius for radius in (60, 40, 15, 40)])
    voxels = np.repeat(discs[:, None], 5, axis=1).astype(np.uint16) * 100
    cine = Cine("disc", voxels, Geometry.from_affine(np.diag([1.5, 1.5, 8, 1]), (5, 240, 260)))
    shown, labels = [], []
    for first, phases in ((0, (0, 2)), (2, (0, 2)), (2, (2,))):
        network = Watching()
        sight = {"fit": "patch", "spacing_mm": 1.5, "size": (64, 64)}
        made = model(recipe(image=sight), network)
        steps = predict(made, cine, phases=phases, first=first, device="cpu")
        labels.append(run_to_end(steps).voxels[2])
        shown.append(set(network.shown))

    assert len(shown[0]) == 2  # whole slices, and the window around the heart
    assert shown[0] == shown[1] == shown[2]
    assert np.array_equal(labels[0], labels[1])
    assert np.array_equal(labels[0], labels[2])


def test_speckles_far_from_the_heart_are_removed() -> None:
    labels = np.zeros((4, 30, 30), np.uint8)
    labels[:, 8:20, 8:20] = Structure.MYOCARDIUM
    labels[:, 11:17, 11:17] = Structure.LV
    labels[0, 27:29, 27:29] = Structure.LV
    labels[2, 0:2, 0:2] = Structure.RV
    cleaned = keep_heart(labels)

    assert not cleaned[0, 27:, 27:].any()
    assert not cleaned[2, :2, :2].any()
    assert np.array_equal(cleaned[1], labels[1])


def test_a_large_liver_is_not_taken_for_the_heart() -> None:
    labels = np.zeros((4, 40, 40), np.uint8)
    labels[:, 4:14, 4:14] = Structure.MYOCARDIUM
    labels[:, 7:11, 7:11] = Structure.LV
    labels[:, 20:38, 10:38] = Structure.RV
    cleaned = keep_heart(labels)

    assert not cleaned[:, 20:].any()
    assert np.array_equal(cleaned[:, :20], labels[:, :20])


def test_nothing_stays_nothing() -> None:
    assert not keep_heart(np.zeros((2, 8, 8), np.uint8)).any()


def test_the_recipe_says_what_is_cleaned_up() -> None:
    labels = np.zeros((2, 20, 20), np.uint8)
    labels[:, 2:8, 2:8] = Structure.MYOCARDIUM
    labels[:, 4:6, 4:6] = Structure.LV
    labels[:, 12:16, 12:16] = Structure.RV  # apart from the heart, but the largest RV
    labels[0, 18, 18] = Structure.RV
    heart, largest, none = (clean_up(labels, how) for how in ("heart", "largest", "none"))

    assert not (heart == Structure.RV).any()
    assert (largest == Structure.RV).sum() == 32
    assert np.array_equal(none, labels)


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["patient002", "patient003"])
def test_the_shipped_model_labels_as_its_scores_say(
    name: str, real_data: Path, tmp_path: Path
) -> None:
    """Dice on two held-out patients within 0.001 of the scores in the model's folder."""
    shipped = load_model("shortaxis-unet")
    path = resource_path("models") / "shortaxis-unet" / "scores.json"
    rows = json.loads(path.read_text(encoding="utf-8"))["patients"]
    (row,) = (row for row in rows if row["patient"] == name)
    (tmp_path / name).symlink_to(real_data / "acdc" / "training" / name)
    (patient,) = run_to_end(read_labelled(tmp_path))
    reader = PatientReader(reader_of(shipped.network, shipped.recipe, CPU))
    for volume in patient.volumes:
        labels = reader.read(patient, volume).labels
        for structure, score in row["phases"][volume.phase].items():
            number = Structure[structure.upper()]
            found = dice(labels == number, volume.labels() == number)
            assert found == pytest.approx(score["dice"], abs=1e-3)
