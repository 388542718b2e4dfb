"""From acquired voxels to what a network sees, and back: sizes, grey values, labels."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.datasets.framing import Framing, plan_framing
from engine.datasets.intensity import Scale, equalise, measure_scale, prepare, prepare_image
from engine.datasets.labelled import LabelledVolume, bits_of
from engine.datasets.neighbours import stack_neighbours
from engine.errors import ModelError
from engine.recipe import ImageRecipe, Recipe

ISOTROPIC = (1.0, 1.0, 1.0)


def ellipsoid(shape: tuple[int, int, int], *, reach: float = 0.3) -> np.ndarray:
    """Labels (z, y, x): a LV in a ring of myocardium beside an RV, in the middle of the volume."""
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, size) for size in shape), indexing="ij")
    labels = np.zeros(shape, np.uint8)
    labels[np.sqrt((z / 1.4) ** 2 + y**2 + (x + reach * 1.4) ** 2) < reach] = 1
    labels[np.sqrt((z / 1.4) ** 2 + y**2 + x**2) < reach] = 2
    labels[np.sqrt((z / 1.4) ** 2 + y**2 + x**2) < reach * 0.7] = 3
    return labels


def there_and_back(framing: Framing, labels: np.ndarray) -> np.ndarray:
    """Labels as a perfect network would give them back."""
    framed = torch.from_numpy(framing.bits_to_network(bits_of(labels))).long()
    logits = torch.stack([20.0 * (framed == 1 << label) - 10 for label in range(4)], dim=1)
    found: np.ndarray = framing.to_native(logits.float()).argmax(dim=1).numpy()
    return found


def dice(one: np.ndarray, other: np.ndarray) -> float:
    return float(2 * (one & other).sum() / (one.sum() + other.sum()))


def test_a_patch_framing_pads_the_far_sides_to_the_stride() -> None:
    recipe = ImageRecipe(fit="patch", spacing_mm=1.5)
    framing = plan_framing((4, 100, 90), (8.0, 0.75, 1.5), recipe, stride=16)

    assert framing.resampled == (4, 50, 90)
    assert framing.framed == (4, 64, 96)
    assert framing.offset == (0, 0, 0)
    image = np.ones((4, 100, 90), np.float32)
    framed = framing.to_network(image)
    assert (framed[:, :50, :90] == 1).all()
    assert not framed[:, 50:].any()
    assert not framed[:, :, 90:].any()


@settings(max_examples=40, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 4), st.integers(8, 40), st.integers(8, 40)),
    size=st.tuples(st.sampled_from([16, 32, 48]), st.sampled_from([16, 32, 48])),
    seed=st.integers(0, 99),
)
def test_a_crop_on_the_acquired_pixels_loses_nothing_inside(
    shape: tuple[int, int, int], size: tuple[int, int], seed: int
) -> None:
    recipe = ImageRecipe(fit="crop", size=size, spacing_mm=None)
    framing = plan_framing(shape, (8.0, 1.3, 1.7), recipe, stride=16)
    labels = np.random.default_rng(seed).integers(0, 4, shape).astype(np.uint8)
    back = there_and_back(framing, labels)
    inside = np.zeros(shape, bool)
    inside[
        :,
        *(
            slice(max(0, (have - keep) // 2), max(0, (have - keep) // 2) + min(have, keep))
            for have, keep in zip(shape[1:], size, strict=True)
        ),
    ] = True

    assert framing.framed == (shape[0], *size)
    assert np.array_equal(back[inside], labels[inside])
    assert not back[~inside].any()


def test_r1_5_volumes_get_their_spacing_and_shape() -> None:
    """R1-5: CLAHE, 1 to 99 %, 1.5 x 1.5 x 10 mm, 256 x 256 x 12; labels keep their set."""
    labels = ellipsoid((20, 150, 180))
    image = np.random.default_rng(0).gamma(2, 100, labels.shape) + 300.0 * labels
    volume = LabelledVolume("v", image.astype(np.int16), bits_of(labels), (4.0, 1.9, 1.7))
    recipe = Recipe(
        title="r",
        image=ImageRecipe(
            fit="crop",
            spacing_mm=1.5,
            slice_spacing_mm=10,
            size=(256, 256),
            depth=12,
            clahe=True,
        ),
    )
    prepared = prepare(volume, recipe)
    training = plan_framing(labels.shape, volume.spacing_mm, recipe.image, stride=16, training=True)
    framed = training.to_network(prepared)
    bits = training.bits_to_network(volume.possible)
    later = plan_framing(labels.shape, volume.spacing_mm, recipe.image, stride=16)

    assert prepared.dtype == framed.dtype == np.float32
    assert (prepared.min(), prepared.max()) == (0, 1)
    assert 0 <= framed.min() < framed.max() <= 1
    assert framed.shape == bits.shape == (12, 256, 256)
    assert training.framed_mm == pytest.approx((10, 1.5, 1.5), rel=0.01)
    assert set(np.unique(bits)) == {1, 2, 4, 8}
    assert later.framed == (8, 256, 256), "a test volume keeps its number of slices"


@pytest.mark.parametrize(
    ("image", "least"),
    [
        (ImageRecipe(fit="crop", spacing_mm=1.5, size=(96, 96)), 0.96),
        (ImageRecipe(fit="crop", spacing_mm=0.8, size=(160, 160)), 0.96),
        (ImageRecipe(fit="patch", spacing_mm=1.5), 0.96),
        (ImageRecipe(fit="resize", size=(128, 128)), 0.96),
        (ImageRecipe(fit="resize", size=(80, 80)), 0.94),
        (ImageRecipe(fit="crop", spacing_mm=1.5, slice_spacing_mm=8.0, size=(96, 96)), 0.93),
    ],
)
def test_labels_come_back_through_any_resampling(image: ImageRecipe, least: float) -> None:
    labels = ellipsoid((12, 104, 96))
    framing = plan_framing(labels.shape, (6.0, 1.2, 1.3), image, stride=16)
    back = there_and_back(framing, labels)

    assert back.shape == labels.shape
    for label in (1, 2, 3):
        assert dice(back == label, labels == label) > least


@pytest.mark.parametrize("fit", ["patch", "crop", "resize"])
def test_r4_5_image_and_labels_are_framed_alike(fit: str) -> None:
    """R4-5: linear for images, nearest for labels, which keep their set and their place."""
    labels = np.where(ellipsoid((6, 200, 180)) > 0, 3, 0).astype(np.uint8)
    recipe = ImageRecipe(fit=fit, spacing_mm=1.7, slice_spacing_mm=9.0, size=(128, 128), depth=8)
    framing = plan_framing(labels.shape, (7.0, 1.2, 1.1), recipe, stride=16, training=True)
    image = framing.to_network((labels > 0).astype(np.float32))
    bits = framing.bits_to_network(bits_of(labels))
    planes = framing.plane_bits_to_network(bits_of(labels))

    assert set(np.unique(bits)) == set(np.unique(planes)) == {1, 8}
    assert image.shape == bits.shape
    assert image.shape[0] == 8
    assert dice(image > 0.5, bits == 8) > 0.97
    assert image[image > 0.999].size > 100


def test_beyond_the_image_there_is_its_darkest_value_and_background() -> None:
    recipe = ImageRecipe(fit="crop", size=(32, 32), spacing_mm=None, depth=5)
    framing = plan_framing((3, 20, 20), ISOTROPIC, recipe, stride=16, training=True)
    image = np.random.default_rng(0).normal(0, 1, (3, 20, 20)).astype(np.float32)
    framed = framing.to_network(image)
    bits = framing.bits_to_network(np.full((3, 20, 20), 8, np.uint8))

    assert np.array_equal(framed[1:4, 6:26, 6:26], image)
    assert np.allclose(framed[2, :6], image[1].min(), atol=1e-6)
    assert np.allclose(framed[[0, 4], 10, 10], image.min(), atol=1e-6)
    assert (bits[1:4, 6:26, 6:26] == 8).all()
    assert (np.delete(bits, (1, 2, 3), axis=0) == 1).all()
    assert (bits[:, :6] == 1).all()


def test_outside_the_crop_a_sigmoid_network_finds_nothing() -> None:
    recipe = ImageRecipe(fit="crop", size=(16, 16), spacing_mm=None)
    framing = plan_framing((2, 40, 40), ISOTROPIC, recipe, stride=16)
    back = framing.to_native(torch.full((2, 1, 16, 16), 9.0)).sigmoid()

    assert (back[:, 0, 12:28, 12:28] > 0.99).all()
    assert float(back.sum()) == pytest.approx(2 * 16 * 16, rel=1e-3)


def test_colours_are_framed_like_grey_values() -> None:
    recipe = ImageRecipe(fit="resize", size=(48, 64))
    framing = plan_framing((2, 90, 100), ISOTROPIC, recipe, stride=16)
    image = np.random.default_rng(0).random((2, 90, 100, 3), np.float32)
    framed = framing.to_network(image)

    assert framed.shape == (2, 48, 64, 3)
    for colour in range(3):
        assert np.allclose(framed[..., colour], framing.to_network(image[..., colour].copy()))


def test_a_size_the_network_cannot_take_is_refused_with_one_it_can() -> None:
    recipe = ImageRecipe(fit="crop", size=(100, 128))

    with pytest.raises(ModelError, match="100 x 128") as error:
        plan_framing((2, 90, 90), ISOTROPIC, recipe, stride=16)
    assert "[96, 128]" in error.value.hint


@pytest.mark.parametrize(
    ("scale", "low", "high"),
    [
        ("min_max", 100, 300),
        ("max", 0, 300),
        ("byte", 0, 255),
        ("none", 0, 1),
        ("z_score", 200, 300),
    ],
)
def test_each_scaling_maps_two_known_grey_values_to_0_and_1(
    scale: str, low: float, high: float
) -> None:
    """An image of 100 and 300 in equal parts: mean 200, standard deviation 100."""
    image = np.array([100, 300] * 8, np.int16).reshape(1, 4, 4)
    recipe = ImageRecipe(scale=scale)
    scaled = prepare_image(image, recipe)

    assert scaled.dtype == np.float32
    assert scaled[0, 0, 0] == pytest.approx((100 - low) / (high - low))
    assert scaled[0, 0, 1] == pytest.approx((300 - low) / (high - low))


def test_r1_5_percentiles_become_0_and_1_and_what_lies_beyond_is_cut() -> None:
    """R1-5."""
    image = np.arange(101, dtype=np.float32).reshape(1, 1, 101)
    scaled = prepare_image(image, ImageRecipe(low_percentile=10, high_percentile=90))

    assert (scaled.min(), scaled.max()) == (0, 1)
    assert scaled[0, 0, 10] == 0
    assert scaled[0, 0, 50] == pytest.approx(0.5)
    assert (scaled[0, 0, 90:] == 1).all()


@pytest.mark.parametrize("scale", ["percentile", "min_max", "max", "z_score"])
@pytest.mark.parametrize("clahe", [False, True])
def test_constant_images_become_zero(scale: str, clahe: bool) -> None:
    value = 0 if scale == "max" else 7
    image = np.full((2, 16, 16), value)

    assert not prepare_image(image, ImageRecipe(scale=scale, clahe=clahe)).any()


def test_scaling_is_measured_on_the_volume_or_on_each_slice() -> None:
    image = np.stack([np.linspace(0, 10, 64), np.linspace(0, 1000, 64)]).reshape(2, 8, 8)
    by_volume = prepare_image(image, ImageRecipe(scale="max"))
    by_slice = prepare_image(image, ImageRecipe(scale="max", scale_over="slice"))

    assert by_volume.max(axis=(1, 2)) == pytest.approx((0.01, 1))
    assert by_slice.max(axis=(1, 2)) == pytest.approx((1, 1))


def test_part_of_a_volume_is_scaled_like_the_whole() -> None:
    image = np.random.default_rng(0).integers(0, 900, (5, 24, 24))
    recipe = ImageRecipe(clahe=True)
    scale = measure_scale(equalise(image), recipe)

    assert np.array_equal(
        prepare_image(image[2:4], recipe, scale=scale), prepare_image(image, recipe)[2:4]
    )


def test_r1_5_equalisation_brings_out_faint_detail() -> None:
    """R1-5: a faint gradient beside something very bright; each slice by itself, 0 to 1."""
    y, x = np.mgrid[:96, :96]
    faint = np.stack([np.where(x < 48, 900.0 + y, y), np.where(y < 48, 900.0 + x, x)])
    equalised = equalise(faint)
    before = (faint[0, 80, 70] - faint[0, 20, 70]) / np.ptp(faint[0])
    after = equalised[0, 80, 70] - equalised[0, 20, 70]

    assert (equalised.min(), equalised.max()) == (0, 1)
    assert after > 1.5 * before
    assert np.array_equal(equalise(faint[1:])[0], equalised[1])


def test_voxels_that_are_not_numbers_are_refused_by_name() -> None:
    image = np.ones((2, 8, 8), np.float32)
    image[1, 2, 3] = np.nan
    volume = LabelledVolume("patient7 ED", image, np.ones((2, 8, 8), np.uint8), ISOTROPIC)

    with pytest.raises(ModelError, match="1 voxels of patient7 ED"):
        prepare(volume, Recipe(title="r"))


def test_a_scale_without_width_gives_zero() -> None:
    assert not Scale(5, 5).apply(np.full(3, 9, np.float32)).any()


@pytest.mark.parametrize("count", [1, 3, 5])
@pytest.mark.parametrize("edge", ["replicate", "zero"])
def test_r1_3_neighbours_are_channels_around_the_middle_slice(count: int, edge: str) -> None:
    """R1-3: slice z has the value z + 1; beyond the ends stands the end again, or 0."""
    image = np.ones((4, 2, 2), np.float32) * np.arange(1, 5, dtype=np.float32)[:, None, None]
    stacked = stack_neighbours(image, range(4), count=count, edge=edge)
    for z in range(4):
        places = range(z - count // 2, z + count // 2 + 1)
        wanted = [
            p + 1 if 0 <= p < 4 else (0 if edge == "zero" else min(max(p, 0), 3) + 1)
            for p in places
        ]
        assert stacked[z, :, 0, 0].tolist() == wanted
        assert stacked[z, count // 2, 0, 0] == z + 1, "the middle channel is the labelled slice"


def test_r1_3_slices_that_are_no_neighbours_stand_alone() -> None:
    """R1-3."""
    image = np.ones((3, 2, 2), np.float32) * np.arange(1, 4, dtype=np.float32)[:, None, None]
    stacked = stack_neighbours(image, [1], count=3, adjacent=False)
    zeros = stack_neighbours(image, [1], count=3, edge="zero", adjacent=False)

    assert stacked[0, :, 0, 0].tolist() == [2, 2, 2]
    assert zeros[0, :, 0, 0].tolist() == [0, 2, 0]


def test_r1_3_colours_of_a_slice_stay_together() -> None:
    """R1-3."""
    image = np.arange(2 * 3, dtype=np.float32).reshape(2, 1, 1, 3)

    assert stack_neighbours(image, [0], count=3)[0, :, 0, 0].tolist() == [0, 1, 2, 0, 1, 2, 3, 4, 5]
