"""Generated patients for every task, to run a training end to end where no data are at hand.

They look like the real thing only as far as a network needs to have something to learn: scores on
them say that a program works, never how good a network is.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from engine.datasets.generated import labelled_phantoms
from engine.datasets.labelled import LabelledPatient, LabelledVolume, bits_of
from engine.progress import Progress, Steps
from engine.tasks import TASKS

GROUP = "generated"
"""The group of all these patients but the hearts, whose group is that of phantoms."""

_BEATS = 4  # phases of a phantom: the fewest it can have
_TISSUES = 3  # darker blobs around what is to be found
_NOISE = 0.08  # of the brightest signal
_ATRIUM_SPACING_MM = (2.7, 1.25, 1.25)


def make_stand_ins(
    task: str, count: int, *, size: int = 64, slices: int = 6, seed: int = 0
) -> Steps[list[LabelledPatient]]:
    """Generate labelled patients of a task; yields after each.

    The short axis gets phantom hearts at end diastole and end systole. The left atrium is a bright
    ellipsoid among darker ones in noise; tumours and polyps are ellipses of another colour, in
    slices that follow each other and in single frames.

    Args:
        task: A name of `engine.tasks`.
        count: Patients.
        size: Height and width of the images [pixels], 32 or more.
        slices: Of each volume, 6 or more.
        seed: Equal seeds give equal patients.
    """
    assert task in TASKS
    assert size >= 32
    assert slices >= 6
    if task == "short_axis":
        seeds = range(seed, seed + count)
        return (
            yield from labelled_phantoms(seeds, phases=_BEATS, slices=slices, shape_yx=(size, size))
        )
    patients = []
    for number in range(count):
        yield Progress(number, count, f"Generating stand-in {number + 1} for {TASKS[task].title}")
        name = f"stand-in {number + 1}"
        volume = _blobs(task, name, seed + number, size, slices)
        patients.append(LabelledPatient(name, GROUP, (volume,), task))
    return patients


def _blobs(task: str, name: str, seed: int, size: int, slices: int) -> LabelledVolume:
    """One bright or coloured ellipsoid among others; of frames each has its own ellipse."""
    random = np.random.default_rng([seed, sorted(TASKS).index(task)])
    shape, frames = (slices, size, size), task == "polyp"
    target = np.zeros(shape, bool)
    picture = np.full(shape, 0.15)
    for _ in range(_TISSUES):
        picture[_ellipsoid(random, shape, (0.15, 0.3))] = random.uniform(0.25, 0.45)
    if frames:
        for frame in range(slices):
            target[frame] = _ellipsoid(random, (1, size, size), (0.12, 0.22))[0]
    else:
        target = _ellipsoid(random, shape, (0.18, 0.28))
    colours = TASKS[task].colours
    tint = np.array([1.0, 0.55, 0.5]) if colours == 3 else np.ones(1)
    light = np.where(target[..., None], 0.85 * tint, picture[..., None])
    light = light + random.normal(0, _NOISE, light.shape)
    image = _stored(light, 255 if colours == 3 else 1000)
    return LabelledVolume(
        name,
        image if colours == 3 else image[..., 0],
        bits_of(target),
        (1.0, 1.0, 1.0) if colours == 3 else _ATRIUM_SPACING_MM,
        adjacent=not frames,
    )


def _ellipsoid(
    random: np.random.Generator, shape: tuple[int, int, int], radii: tuple[float, float]
) -> NDArray[np.bool_]:
    """A mask (z, y, x) somewhere about the middle; radii as shares of each axis."""
    places = np.meshgrid(*(_axis(length) for length in shape), indexing="ij")
    centre = random.uniform(-0.15, 0.15, 3)
    radius = random.uniform(*radii, 3) * (1.6, 1, 1)  # long enough to cross several slices
    parts = zip(places, centre, radius, strict=True)
    squares: Iterator[NDArray[np.float64]] = (((at - mid) / r) ** 2 for at, mid, r in parts)
    return np.asarray(sum(squares) < 1)


def _axis(length: int) -> NDArray[np.float64]:
    """Centres of the pixels of an axis that goes from -0.5 to 0.5; one alone lies at 0."""
    return (np.arange(length) + 0.5) / length - 0.5


def _stored(light: NDArray[np.float64], brightest: int) -> NDArray[np.generic]:
    """As a scanner or a camera stores it: whole numbers."""
    kind = np.uint8 if brightest == 255 else np.int16
    return (light.clip(0, 1) * brightest).round().astype(kind)
