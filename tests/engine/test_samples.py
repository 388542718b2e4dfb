"""Samples and batches: which slices, in which order, on which process, from how much memory."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.datasets.intensity import scale_patches
from engine.datasets.labelled import LabelledPatient, LabelledVolume, bits_of
from engine.datasets.prefetch import prefetched
from engine.datasets.samples import Batch, SampleSource
from engine.datasets.selection import usable_slices
from engine.datasets.shelf import free_memory_bytes
from engine.errors import ModelError
from engine.recipe import DataRecipe, Recipe
from tests.discs import disc_patient, disc_patients, tiny_recipe

AUGMENTED = {
    "augmentation__rotation_degrees": 20.0,
    "augmentation__elastic": 1.0,
    "augmentation__noise": 0.1,
    "augmentation__gamma": 0.2,
}
FITS = {
    "patch": {"image__fit": "patch"},
    "crop": {"image__fit": "crop"},
    "resize": {"image__fit": "resize", "image__spacing_mm": None},
}


def source(recipe: Recipe, patients: list[LabelledPatient] | None = None) -> SampleSource:
    return SampleSource(disc_patients(3) if patients is None else patients, recipe, stride=2)


def collect(samples: SampleSource, **how: object) -> list[Batch]:
    return list(samples.batches(**{"epoch": 0, "augment": True} | how))


def volume(labels: np.ndarray, *, phase: str = "") -> LabelledVolume:
    return LabelledVolume("v", labels.astype(np.float32), bits_of(labels), (8.0, 1.5, 1.5), phase)


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("neighbours", [1, 3])
def test_batches_of_slices_have_the_recipes_shape(fit: str, neighbours: int) -> None:
    samples = source(tiny_recipe(**FITS[fit], **AUGMENTED, data__neighbours=neighbours))
    batches = collect(samples)

    assert len(samples) == 18  # 3 patients, 2 phases, 3 slices
    assert len(batches) == samples.steps_per_epoch() == 4
    for batch in batches:
        assert batch.images.shape == (4, neighbours, 32, 32)
        assert batch.possible.shape == (4, 32, 32)
        assert batch.images.dtype == torch.float32
        assert batch.possible.dtype == torch.int64
        assert torch.isfinite(batch.images).all()
        assert set(batch.possible.unique().tolist()) <= {1, 2, 4, 8}
    assert len({index for batch in batches for index in batch.indices}) == 16
    assert any((batch.possible == 8).any() for batch in batches)


def test_a_patch_is_scaled_by_itself_whatever_lies_around_it() -> None:
    """A bright frame far outside the patch changes nothing; on the volume it would."""
    recipe = tiny_recipe(image__scale_over="patch", image__spacing_mm=1.5, data__neighbours=3)
    plain = disc_patient("a")
    framed = replace(plain, volumes=tuple(map(with_bright_frame, plain.volumes)))
    first, second = (collect(source(recipe, [p]), augment=False)[0].images for p in (plain, framed))

    assert first.amin() == 0
    assert first.amax() == 1
    assert torch.allclose(first, second, atol=1e-3)  # positions are rounded differently


def with_bright_frame(volume: LabelledVolume) -> LabelledVolume:
    wide = ((0, 0), (40, 40), (40, 40))
    image = np.pad(volume.image, wide, constant_values=volume.image.min())
    image[:, :4] = 10 * volume.image.max()
    possible = np.pad(volume.possible, wide, constant_values=np.uint8(1))
    return replace(volume, image=image, possible=possible)


def test_a_constant_patch_becomes_zero() -> None:
    recipe = tiny_recipe(image__scale_over="patch").image
    for scale in ("percentile", "z_score", "min_max"):
        made = recipe.model_copy(update={"scale": scale})
        assert not scale_patches(torch.full((2, 3, 8, 8), 7.0), made).any()


def test_stacks_are_turned_over_where_any_orientation_is_wanted() -> None:
    """Both orders of base and apex are seen; the slice in the middle stays in the middle."""
    image = np.arange(3, dtype=np.float32)[:, None, None] * np.ones((1, 48, 48), np.float32)
    labels = np.zeros((3, 48, 48), np.uint8)
    labels[:, 20:28, 20:28] = 3
    stack = LabelledVolume("v", image, bits_of(labels), (8.0, 1.5, 1.5))
    recipe = tiny_recipe(
        data__neighbours=3,
        augmentation__any_orientation=True,
        training__batch=3,
        image__scale="max",
    )
    samples = source(recipe, [LabelledPatient("p", "NOR", (stack,))])
    middles = set()
    for epoch in range(12):
        (batch,) = collect(samples, epoch=epoch)
        planes = batch.images[batch.indices.index(1), :, 16, 16]
        middles.add(tuple((2 * planes).round().int().tolist()))

    assert middles == {(0, 1, 2), (2, 1, 0)}


@pytest.mark.parametrize("fit", FITS)
def test_batches_of_volumes_have_the_recipes_shape(fit: str) -> None:
    recipe = tiny_recipe(
        **FITS[fit], **AUGMENTED, data__sample="volume", image__depth=4, training__batch=2
    )
    batches = collect(source(recipe))

    assert len(batches) == 3
    for batch in batches:
        assert batch.images.shape == (2, 1, 4, 32, 32)
        assert batch.possible.shape == (2, 4, 32, 32)
        assert (batch.possible[:, 0] == 1).all(), "the first slice is padding"
        assert (batch.possible[:, 1:] == 8).flatten(2).any(dim=2).all()


@pytest.mark.parametrize("fit", ["crop", "resize"])
@pytest.mark.parametrize("sample", ["slice", "volume"])
def test_without_any_change_a_sample_is_the_framed_image(fit: str, sample: str) -> None:
    """Everything off is exactly the identity, on images that have the size already."""
    recipe = tiny_recipe(
        **FITS[fit] | {"image__spacing_mm": None},
        image__size=(48, 48),
        image__scale="none",
        data__sample=sample,
        training__batch=1,
    )
    patients = disc_patients(1)
    for augment in (False, True):
        for batch in collect(source(recipe, patients), augment=augment):
            (index,) = batch.indices
            volumes = patients[0].volumes
            if sample == "volume":
                image, bits = volumes[index].image[None], volumes[index].possible
            else:
                image = volumes[index // 3].image[index % 3][None]
                bits = volumes[index // 3].possible[index % 3]
            assert np.array_equal(batch.images[0].numpy(), image)
            assert np.array_equal(batch.possible[0].numpy(), bits)


def test_a_patch_for_validation_is_centred_on_the_heart() -> None:
    patient = disc_patient("a")
    samples = source(tiny_recipe(image__size=(48, 48)), [patient])
    for batch in collect(samples, augment=False):
        for image, possible in zip(batch.images, batch.possible, strict=True):
            rows, columns = np.nonzero((possible.numpy() & 1) == 0)
            assert abs(rows.mean() - 23.5) < 1
            assert abs(columns.mean() - 23.5) < 1
            assert image[0, (possible == 8)].mean() > image[0, (possible == 1)].mean() + 0.5


def test_some_patches_are_cut_away_from_the_heart() -> None:
    """What is not a heart is learned there; the recipe's shift alone would not go so far."""
    samples = source(tiny_recipe(image__size=(16, 16)), disc_patients(6))
    off = 0
    for epoch in range(5):
        for batch in collect(samples, epoch=epoch):
            centre = batch.possible[:, 6:10, 6:10].reshape(len(batch.indices), -1)
            off += int(((centre & 1) == 1).all(dim=1).sum())

    assert 0.02 < off / (5 * 36) < 0.2


def test_validation_gives_all_samples_in_order() -> None:
    samples = source(tiny_recipe())
    order = [index for batch in collect(samples, augment=False) for index in batch.indices]

    assert order == list(range(18))


def test_epochs_differ_and_repeat_with_the_seed() -> None:
    first, again = (collect(source(tiny_recipe(**AUGMENTED)), epoch=3) for _ in range(2))
    other = collect(source(tiny_recipe(**AUGMENTED)), epoch=4)
    reseeded = collect(source(tiny_recipe(**AUGMENTED, training__seed=9)), epoch=3)

    for one, two in zip(first, again, strict=True):
        assert one.indices == two.indices
        assert torch.equal(one.images, two.images)
        assert torch.equal(one.possible, two.possible)
    assert [b.indices for b in first] != [b.indices for b in other]
    assert [b.indices for b in first] != [b.indices for b in reseeded]


@pytest.mark.parametrize("augment", [True, False])
@pytest.mark.parametrize("fit", FITS)
def test_two_processes_share_the_batches_of_one(fit: str, augment: bool) -> None:
    recipe = tiny_recipe(**FITS[fit], **AUGMENTED, training__batch=5)
    alone = collect(source(recipe), augment=augment)
    shares = [collect(source(recipe), augment=augment, rank=r, ranks=2) for r in (0, 1)]

    assert len(shares[0]) == len(shares[1]) == len(alone)
    for whole, first, second in zip(alone, *shares, strict=True):
        assert sorted(first.indices + second.indices) == sorted(whole.indices)
        for part in (first, second):
            for place, index in enumerate(part.indices):
                there = whole.indices.index(index)
                assert torch.allclose(part.images[place], whole.images[there], atol=1e-6)
                assert torch.equal(part.possible[place], whole.possible[there])


def test_the_only_batch_may_be_incomplete() -> None:
    samples = source(tiny_recipe(training__batch=50))
    (batch,) = collect(samples)

    assert len(batch.indices) == 18
    assert samples.steps_per_epoch() == 1


def test_more_processes_than_samples_in_a_batch_are_refused() -> None:
    with pytest.raises(ModelError, match="shared among 5"):
        source(tiny_recipe(training__batch=4)).batches(epoch=0, augment=True, ranks=5)


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("clahe", [False, True])
def test_little_memory_changes_no_sample(fit: str, clahe: bool) -> None:
    recipe = tiny_recipe(**FITS[fit], **AUGMENTED, data__neighbours=3, image__clahe=clahe)
    room = SampleSource(disc_patients(2), recipe, stride=2)
    bare = SampleSource(disc_patients(2), recipe, stride=2, memory_bytes=0)
    some = SampleSource(disc_patients(2), recipe, stride=2, memory_bytes=40_000)
    for one, *others in zip(*map(collect, (room, bare, some)), strict=True):
        for other in others:
            assert one.indices == other.indices
            assert torch.allclose(one.images, other.images, atol=1e-6)
            assert torch.equal(one.possible, other.possible)


def test_r1_3_a_sample_sees_its_neighbours_and_is_labelled_in_the_middle() -> None:
    """R1-3: images whose grey value is the number of their slice."""
    labels = np.zeros((4, 32, 32), np.uint8)
    labels[2, 8:20, 8:20] = 3
    image = np.broadcast_to(np.arange(4.0, dtype=np.float32)[:, None, None], labels.shape).copy()
    one = replace(volume(labels), image=image)
    recipe = tiny_recipe(
        **FITS["resize"], data__neighbours=3, image__scale="none", training__batch=1
    )
    for adjacent in (True, False):
        patient = LabelledPatient("a", "", (replace(one, adjacent=adjacent),))
        for batch in collect(source(recipe, [patient]), augment=False):
            (z,) = batch.indices
            seen = batch.images[0, :, 5, 5].tolist()
            beside = [max(z - 1, 0), z, min(z + 1, 3)] if adjacent else [z, z, z]
            assert seen == beside
            assert bool((batch.possible == 8).any()) == (z == 2)


def test_r4_4_a_slice_is_kept_at_the_limit_and_dropped_below() -> None:
    """R4-4: 0.1 % of the acquired 100 x 100 pixels are 10."""
    labels = np.zeros((4, 100, 100), np.uint8)
    labels[0, 0, :9] = 3
    labels[1, 0, :10] = 3
    labels[2, 0, :5] = 1
    labels[2, 1, :5] = 2
    kept = usable_slices(volume(labels), DataRecipe(smallest_foreground=0.001))

    assert kept == [1, 2]


def test_r4_4_the_limit_holds_on_the_acquired_grid_not_the_networks() -> None:
    """R4-4: one pixel of 40 x 40 counts, though the smaller image may lose it."""
    labels = np.zeros((2, 40, 40), np.uint8)
    labels[0, 2, 2] = 3
    recipe = tiny_recipe(**FITS["resize"], image__size=(16, 16), data__smallest_foreground=1 / 1600)
    samples = source(recipe, [LabelledPatient("a", "", (volume(labels),))])
    (batch,) = collect(samples, augment=False)

    assert len(samples) == 1
    assert (batch.possible == 1).all()


def test_empty_slices_and_other_phases_can_be_left_out() -> None:
    labels = np.zeros((3, 8, 8), np.uint8)
    labels[1, 2, 2] = 1

    assert usable_slices(volume(labels), DataRecipe()) == [0, 1, 2]
    assert usable_slices(volume(labels), DataRecipe(drop_empty=True)) == [1]
    assert usable_slices(volume(labels, phase="ES"), DataRecipe(phases=("ED",))) == []
    assert usable_slices(volume(labels, phase="ED"), DataRecipe(phases=("ED",))) == [0, 1, 2]


def test_r3_5_slices_at_the_base_are_kept_by_their_myocardium() -> None:
    """R3-5: a full ring, half a ring and a quarter of one around the cavity."""
    y, x = np.mgrid[:64, :64]
    distance = np.hypot(y - 31.5, x - 31.5)
    labels = np.zeros((4, 64, 64), np.uint8)
    ring = (distance < 22) & (distance >= 14)
    for z, sector in enumerate((x > -1, x >= 32, (x >= 32) & (y >= 32))):
        labels[z][ring & sector] = 2
        labels[z][distance < 14] = 3

    assert usable_slices(volume(labels), DataRecipe(basal="all")) == [0, 1, 2, 3]
    assert usable_slices(volume(labels), DataRecipe(basal="half")) == [0, 1, 3]
    assert usable_slices(volume(labels), DataRecipe(basal="full")) == [0, 3]


def test_nothing_usable_is_explained() -> None:
    patient = LabelledPatient("a", "", (volume(np.zeros((2, 32, 32), np.uint8)),))

    with pytest.raises(ModelError, match="usable slice") as error:
        source(tiny_recipe(data__drop_empty=True), [patient])
    assert "drop_empty" in error.value.hint


def test_images_with_the_wrong_number_of_channels_are_refused_by_name() -> None:
    grey = disc_patient("grey")
    colour = replace(grey.volumes[0], name="odd one", image=np.zeros((3, 48, 48, 3), np.uint8))

    with pytest.raises(ModelError, match="odd one"):
        source(tiny_recipe(), [LabelledPatient("a", "", (grey.volumes[0], colour))])


def test_volumes_of_different_depth_need_a_depth() -> None:
    patients = [
        LabelledPatient(f"p{n}", "", (volume(np.zeros((n, 32, 32), np.uint8)),)) for n in (3, 5)
    ]

    with pytest.raises(ModelError, match="3 to 5 slices"):
        source(tiny_recipe(data__sample="volume", training__batch=2), patients)
    assert (
        len(collect(source(tiny_recipe(data__sample="volume", training__batch=1), patients))) == 2
    )


def test_a_size_that_is_no_multiple_of_the_stride_is_refused() -> None:
    with pytest.raises(ModelError, match="multiples of 16"):
        SampleSource(disc_patients(1), tiny_recipe(image__size=(40, 40)), stride=16)


@pytest.mark.parametrize("fit", FITS)
def test_class_counts_are_those_of_the_unchanged_samples(fit: str) -> None:
    samples = source(tiny_recipe(**FITS[fit], **AUGMENTED))
    counts = samples.class_counts()
    bits = torch.cat([batch.possible for batch in collect(samples, augment=False)])
    present = {1 << c: (bits == 1 << c).flatten(1).any(dim=1) for c in range(4)}

    assert counts.pixels.tolist() == [int((bits == 1 << c).sum()) for c in range(4)]
    assert counts.pixels_where_present.tolist() == [
        int(present[1 << c].sum()) * 32 * 32 for c in range(4)
    ]


def test_open_labels_are_noticed() -> None:
    assert source(tiny_recipe()).complete
    assert not source(tiny_recipe(), [disc_patient("a", possible=0b0011)]).complete


def test_r2_8_a_certain_pixel_is_exactly_one_class() -> None:
    """R2-8: also the background has a class of its own."""
    (batch, *_) = collect(source(tiny_recipe(**AUGMENTED)))
    one_hot = torch.stack([(batch.possible >> c) & 1 for c in range(4)])

    assert (one_hot.sum(dim=0) == 1).all()
    assert (one_hot[0] == 1).any()


def test_colour_slices_become_three_channels() -> None:
    labels = np.zeros((2, 40, 40), np.uint8)
    labels[:, 10:20, 10:20] = 1
    image = np.random.default_rng(0).integers(0, 255, (2, 40, 40, 3), np.uint8)
    patient = LabelledPatient("a", "", (replace(volume(labels), image=image),), task="polyp")
    recipe = tiny_recipe(
        **FITS["resize"], data__task="polyp", network__classes=1, image__scale="byte"
    )
    (batch,) = collect(source(recipe, [patient]), augment=False)

    assert batch.images.shape == (2, 3, 32, 32)
    assert batch.images.min() >= 0
    assert batch.images.max() <= 1
    assert set(batch.possible.unique().tolist()) == {1, 2}


def test_the_cache_may_take_no_more_than_the_machine_has() -> None:
    free = free_memory_bytes()

    assert 1 << 20 < free < 1 << 50
    assert free % 1024 == 0


def running() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name == "heartseg-batches"]


def test_closing_the_batches_ends_their_thread() -> None:
    batches = source(tiny_recipe(training__batch=1)).batches(epoch=0, augment=True)
    next(batches)
    assert running()
    batches.close()

    assert not running()


def test_batches_used_up_leave_no_thread() -> None:
    assert collect(source(tiny_recipe()))
    assert not running()


def test_what_goes_wrong_while_preparing_is_raised_where_batches_are_used() -> None:
    bad = disc_patient("broken")
    bad.volumes[0].image[0, 0, 0] = np.nan

    with pytest.raises(ModelError, match="broken ED"):
        collect(source(tiny_recipe(), [bad]))
    assert not running()


def test_items_are_prepared_ahead_but_not_without_limit() -> None:
    made, enough = [], threading.Event()

    def numbers() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            if number == 3:
                enough.set()
            yield number

    stream = prefetched(numbers(), ahead=3)
    assert next(stream) == 0
    assert enough.wait(timeout=10), "three more are prepared while the first is used"
    assert len(made) <= 5  # one used, three ready, one in the hand
    stream.close()
    assert not running()
    assert list(prefetched(iter(range(5)))) == [0, 1, 2, 3, 4]
