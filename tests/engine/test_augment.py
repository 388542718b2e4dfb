"""Random changes keep image and labels together, within their limits, and off means off."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.transforms.croppad.array import CenterSpatialCrop
from monai.transforms.intensity.array import AdjustContrast, GaussianSmooth
from monai.transforms.spatial.array import GridDistortion, Rand2DElastic
from scipy.ndimage import binary_dilation
from torch import Tensor

from engine.datasets.tone import blurred, change_tone
from engine.datasets.warp import (
    BEND_PIXELS,
    Warp,
    Window,
    bend_field,
    draw_warp,
    read_at,
    read_bits_at,
    sampling_grid,
)
from engine.recipe import AugmentationRecipe

STILL = torch.eye(2, 3)


def chance(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def whole(side: int) -> Window:
    return Window((side, side), (side, side), ((side - 1) / 2,) * 2)


def warped(warp: Warp, image: Tensor, bits: Tensor) -> tuple[Tensor, Tensor]:
    grid = sampling_grid(warp, whole(image.shape[-1]))
    return read_at(image, grid), read_bits_at(bits, grid)


def disc(side: int = 64) -> tuple[Tensor, Tensor]:
    """A soft disc (1, y, x), and the bits of where it is brighter than one half."""
    y, x = np.mgrid[:side, :side]
    soft = 1 / (1 + np.exp(np.hypot(y - side / 2 + 3, x - side / 2 - 4) - side / 5))
    image = torch.from_numpy(soft[None].astype(np.float32))
    return image, torch.where(image > 0.5, 8, 1).to(torch.uint8)


def draw(recipe: AugmentationRecipe, seed: int, side: int = 64) -> Warp:
    return draw_warp(
        recipe, chance(seed), size=(side, side), shift_pixels=(recipe.shift * side,) * 2
    )


def test_everything_off_is_the_identity() -> None:
    image, recipe = torch.rand(3, 20, 24), AugmentationRecipe()

    assert draw_warp(recipe, chance(), size=(20, 24), shift_pixels=(0.0, 0.0)).nothing
    assert torch.equal(change_tone(image, recipe, chance(), grey_range=None), image)
    assert torch.equal(change_tone(image, recipe, chance(), grey_range=(0, 1)), image)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    recipe=st.builds(
        AugmentationRecipe,
        rotation_degrees=st.sampled_from([0.0, 15.0, 180.0]),
        smallest_scale=st.sampled_from([0.9, 1.0]),
        largest_scale=st.sampled_from([1.0, 1.1]),
        shift=st.sampled_from([0.0, 0.1]),
        shear_degrees=st.sampled_from([0.0, 10.0]),
        elastic=st.sampled_from([0.0, 2.0]),
        grid_distortion=st.sampled_from([0.0, 0.3]),
        flip=st.booleans(),
        any_orientation=st.booleans(),
    ),
)
def test_r1_6_image_and_labels_stay_together(seed: int, recipe: AugmentationRecipe) -> None:
    """R1-6: labels made by a threshold agree with it after any change, but for the very edge."""
    image, bits = warped(draw(recipe, seed), *disc())
    above, inside = (image[0] > 0.5).numpy(), (bits[0] == 8).numpy()
    edge = binary_dilation(inside, np.ones((3, 3))) & binary_dilation(~inside, np.ones((3, 3)))

    assert set(bits.unique().tolist()) <= {1, 8}
    assert not (above != inside)[~edge].any()


def test_r1_6_rotation_and_scale_keep_to_their_limits() -> None:
    """R1-6: 15 degrees to either side, 0.9 to 1.1 in size, and both are used up."""
    recipe = AugmentationRecipe(rotation_degrees=15, smallest_scale=0.9, largest_scale=1.1)
    matrices = torch.stack([draw(recipe, seed).matrix[:, :2] for seed in range(300)])
    scale = torch.linalg.det(matrices).rsqrt()
    angle = torch.rad2deg(torch.atan2(matrices[:, 1, 0], matrices[:, 0, 0]))

    assert 0.9 - 1e-5 <= scale.min() < 0.91
    assert 1.09 < scale.max() <= 1.1 + 1e-5
    assert -15.001 <= angle.min() < -14
    assert 14 < angle.max() <= 15.001


def test_equal_seeds_give_equal_changes_and_others_do_not() -> None:
    recipe = AugmentationRecipe(rotation_degrees=20, elastic=2, grid_distortion=0.2)
    first, again, other = draw(recipe, 5), draw(recipe, 5), draw(recipe, 6)

    assert first.bend is not None
    assert first.squeeze is not None
    for name in ("matrix", "squeeze", "bend"):
        assert torch.equal(getattr(first, name), getattr(again, name))
        assert not torch.equal(getattr(first, name), getattr(other, name))


def test_a_quarter_turn_moves_pixels_exactly() -> None:
    image = torch.arange(16.0).reshape(1, 4, 4)
    bits = (2 ** torch.arange(16).reshape(1, 4, 4) % 255).to(torch.uint8)
    quarter = Warp(torch.tensor([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0]]))
    turned, turned_bits = warped(quarter, image, bits)

    assert torch.allclose(turned, torch.rot90(image, 1, (1, 2)), atol=1e-4)
    assert torch.equal(turned_bits, torch.rot90(bits, 1, (1, 2)))


def test_any_orientation_gives_the_eight_symmetries_of_a_square() -> None:
    image, bits = torch.rand(1, 6, 6), torch.ones(1, 6, 6, dtype=torch.uint8)
    turns = [torch.rot90(image, k, (1, 2)) for k in range(4)]
    wanted = [*turns, *(turn.flip(2) for turn in turns)]
    seen = set()
    for seed in range(80):
        found, _ = warped(draw(AugmentationRecipe(any_orientation=True), seed, 6), image, bits)
        match = [n for n, one in enumerate(wanted) if torch.allclose(found, one, atol=1e-4)]
        assert len(match) == 1
        seen.add(match[0])

    assert seen == set(range(8))


def test_a_flip_mirrors_left_and_right_about_every_second_time() -> None:
    image, bits = disc(32)
    mirrored = 0
    for seed in range(100):
        found, found_bits = warped(draw(AugmentationRecipe(flip=True), seed, 32), image, bits)
        flipped = not torch.allclose(found, image, atol=1e-4)
        mirrored += flipped
        if flipped:
            assert torch.allclose(found, image.flip(2), atol=1e-4)
            assert torch.equal(found_bits, bits.flip(2))

    assert 30 < mirrored < 70


def test_a_shear_moves_rows_in_proportion_to_their_height() -> None:
    warp = draw(AugmentationRecipe(shear_degrees=40), 3)
    slant = float(warp.matrix[0, 1])

    assert torch.equal(warp.matrix[:, [0, 2]], STILL[:, [0, 2]])
    assert 0 < abs(slant) <= math.tan(math.radians(40))
    assert float(warp.matrix[1, 1]) == 1


def test_what_comes_from_outside_is_background() -> None:
    away = Warp(torch.tensor([[1.0, 0.0, 900.0], [0.0, 1.0, 900.0]]))
    image, bits = warped(away, torch.rand(2, 20, 20) + 5, torch.full((1, 20, 20), 8).byte())

    assert (bits == 1).all()
    assert (image >= 5).all()


def test_pixels_of_another_size_are_read_at_the_right_place() -> None:
    """A ramp read with pixels of 0.5 and 2 source pixels is a ramp of other steepness."""
    y, x = torch.meshgrid(torch.arange(40.0), torch.arange(40.0), indexing="ij")
    window = Window((8, 8), (40, 40), (20.0, 10.0), pixel=(0.5, 2.0))
    where = read_at(torch.stack([y, x]), sampling_grid(Warp(STILL), window))

    assert torch.allclose(where[0, :, 0], 10 + 2.0 * (torch.arange(8) - 3.5), atol=1e-3)
    assert torch.allclose(where[1, 0], 20 + 0.5 * (torch.arange(8) - 3.5), atol=1e-3)


def test_r4_10_an_elastic_deformation_is_monais_without_its_ripple() -> None:
    """R4-10. MONAI bends the whole table of positions, which ripples even without any offset."""
    offsets = chance(1)
    bend = 3 * torch.randn(2, 8, 8, generator=offsets)  # MONAI's number of points for 128
    monai = Rand2DElastic((BEND_PIXELS,) * 2, (1.0, 1.0), prob=1.0)

    def table(strength: float) -> Tensor:
        """Positions (y, x) by MONAI with these offsets."""
        monai.deform_grid.randomize = lambda *_: None  # type: ignore[method-assign]
        monai.deform_grid.random_offset = bend.flip(0).numpy()  # y first
        monai.deform_grid.rand_mag = strength
        grid = monai.deform_grid(spatial_size=(128, 128))
        fine = torch.nn.functional.interpolate(
            grid[None], scale_factor=BEND_PIXELS, mode="bicubic", align_corners=False
        )
        return torch.as_tensor(CenterSpatialCrop((128, 128))(fine[0])[:2]).float()

    ours = bend_field(bend, (128, 128))

    assert torch.allclose(ours.flip(0), table(1) - table(0), atol=1e-3)
    assert ours.abs().max() > 2


def test_r4_10_a_grid_distortion_is_monais_within_a_pixel() -> None:
    """R4-10. MONAI's cells overlap by a pixel each, times their width; it is off by that."""
    widths = torch.tensor([[1.2, 0.8, 1.1, 0.7, 1.2], [0.9, 1.1, 1.0, 1.0, 1.0]])  # add up to 5
    y, x = torch.meshgrid(torch.arange(100.0), torch.arange(100.0), indexing="ij")
    steps = [[*row.tolist(), 1.0] for row in widths.flip(0)]  # MONAI: y first, one more
    monai = GridDistortion(5, steps, padding_mode="border")(torch.stack([y, x]))
    ours = read_at(torch.stack([y, x]), sampling_grid(Warp(STILL, widths), whole(100)))
    inner = np.s_[:, 2:98, 2:98]

    assert (ours - torch.as_tensor(monai))[inner].abs().max() <= 1.2
    assert (ours[1] - x)[inner[1:]].abs().max() > 3


def test_r3_3_gamma_is_monais_over_the_images_own_range() -> None:
    """R3-3: the exponent lies within exp(-g) to exp(g)."""
    image = torch.rand(1, 24, 24) * 50 - 20
    recipe = AugmentationRecipe(gamma=0.4)
    exponents = []
    for seed in range(60):
        found = change_tone(image, recipe, chance(seed), grey_range=None)
        share = (image - image.min()) / (image.max() - image.min())
        share_found = (found - image.min()) / (image.max() - image.min())
        middle = (share > 0.2) & (share < 0.8)
        exponent = float((share_found[middle].log() / share[middle].log()).median())
        exponents.append(exponent)
        monai = torch.as_tensor(AdjustContrast(exponent)(image))
        assert torch.allclose(found, monai, atol=1e-2)

    assert math.exp(-0.4) - 1e-3 <= min(exponents) < 0.75
    assert 1.3 < max(exponents) <= math.exp(0.4) + 1e-3


@pytest.mark.parametrize("sigma", [0.5, 1.0, 1.5])
def test_r3_3_a_blur_is_monais_away_from_the_rim(sigma: float) -> None:
    """R3-3. At the rim MONAI takes 0 for what lies outside."""
    image = torch.rand(2, 40, 40)
    monai = torch.as_tensor(GaussianSmooth(sigma)(image))
    ours = blurred(image, sigma)

    assert torch.allclose(ours[:, 8:-8, 8:-8], monai[:, 8:-8, 8:-8], atol=2e-3)
    assert torch.allclose(blurred(torch.full((1, 9, 9), 7.0), sigma), torch.full((1, 9, 9), 7.0))


def test_r3_3_a_blur_comes_as_often_as_asked() -> None:
    """R3-3."""
    image = torch.rand(1, 16, 16)
    recipe = AugmentationRecipe(blur=0.25, blur_pixels=(0.8, 0.8))
    found = [change_tone(image, recipe, chance(seed), grey_range=(0, 1)) for seed in range(200)]
    changed = [one for one in found if not torch.equal(one, image)]

    assert 30 <= len(changed) <= 70
    assert all(torch.allclose(one, blurred(image, 0.8), atol=1e-5) for one in changed)


@pytest.mark.parametrize("field", ["gamma", "bias_field", "contrast", "noise", "blur"])
def test_each_change_of_tone_can_be_switched_on_alone(field: str) -> None:
    image = torch.rand(2, 16, 16)
    recipe = AugmentationRecipe(**{field: 1.0})
    found = [change_tone(image, recipe, chance(seed), grey_range=(0, 1)) for seed in (1, 2)]

    assert not torch.allclose(found[0], image, atol=1e-3)
    assert not torch.allclose(found[0], found[1], atol=1e-3)
    assert torch.isfinite(torch.stack(found)).all()


def test_all_channels_are_changed_alike() -> None:
    image = torch.rand(1, 16, 16).expand(3, 16, 16)
    recipe = AugmentationRecipe(gamma=0.5, bias_field=0.5, contrast=0.3, blur=1.0)
    found = change_tone(image, recipe, chance(2), grey_range=(0, 1))

    assert torch.allclose(found[0], found[1])
    assert torch.allclose(found[0], found[2])


def test_a_constant_image_stays_as_it_is() -> None:
    image = torch.full((1, 8, 8), 3.0)
    found = change_tone(image, AugmentationRecipe(gamma=0.5, noise=0.1), chance(), grey_range=None)

    assert torch.equal(found, image)
