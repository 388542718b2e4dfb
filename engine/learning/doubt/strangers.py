"""Images that are no short-axis cine: made up, or of a folder that is known to hold others."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import HeartSegError
from engine.io.study_folder import read_study
from engine.learning.doubt.collecting import Watcher
from engine.learning.doubt.familiarity import Familiarity
from engine.learning.reading import Spacing
from engine.progress import Progress, Steps
from engine.study import Stack

_PHASES = (0.0, 0.35, 0.7)  # of a cine: where in the beat it is looked at
_FEW_GREYS = 8  # no more in a map of labels
_SIZE = 192
_SPACING_MM = (8.0, 1.5, 1.5)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Stranger:
    """A stack that is tried.

    Attributes:
        kind: For tables.
        name: What it is called.
        phases: Grey values, (z, y, x) each.
        spacing_mm: (z, y, x) [mm].
    """

    kind: str
    name: str
    phases: tuple[NDArray[np.generic], ...] = field(repr=False)
    spacing_mm: Spacing


def made_up(seed: int = 0) -> Iterator[Stranger]:
    """Noise, rough and smooth, and images with nothing on them."""
    random = np.random.default_rng(seed)
    for number in range(10):
        depth = (1, 3, 8)[number % 3]
        rough = random.normal(200, 50, (depth, _SIZE, _SIZE)).astype(np.float32)
        yield Stranger("noise", f"rough {number}", (rough,), _SPACING_MM)
        smooth = _smoothed(random, depth, 0.5 + 0.2 * number)
        yield Stranger("noise", f"smooth {number}", (smooth,), _SPACING_MM)
    blank = np.zeros((8, _SIZE, _SIZE), np.float32)
    dot, step = blank[:3].copy(), blank.copy()
    dot[:, 90, 90], step[:, 80:] = 1, 1
    slope = np.tile(np.arange(_SIZE, dtype=np.float32), (5, _SIZE, 1))
    for name, image in (
        ("zeros", blank),
        ("constant", blank[:1] + 77),
        ("one pixel", dot),
        ("edge", step),
        ("slope", slope),
    ):
        yield Stranger("empty image", name, (image,), _SPACING_MM)


def _smoothed(random: np.random.Generator, depth: int, power: float) -> NDArray[np.float32]:
    """Noise whose amplitude falls with this power of the frequency."""
    plain = np.fft.fft2(random.normal(size=(depth, _SIZE, _SIZE)))
    rows, columns = np.meshgrid(np.fft.fftfreq(_SIZE), np.fft.fftfreq(_SIZE))
    shaped = np.fft.ifft2(plain / (np.hypot(rows, columns) + 1 / _SIZE) ** power)
    return np.asarray(shaped.real, np.float32)


def read_strangers(folder: Path) -> Steps[list[Stranger]]:
    """Every stack and every other view of the files and folders right below a folder.

    What cannot be read as images is left out, and so are maps of labels; the log names it.
    """
    found: list[Stranger] = []
    places = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    for number, place in enumerate(places):
        yield Progress(number, len(places), f"Reading {place.name}")
        try:
            study = yield from read_study(place)
        except HeartSegError as error:
            _log.info("%s is left out: %s", place, error.what)
            continue
        kind = f"{folder.absolute().parent.name}/{folder.name}"
        found += _strangers_of(kind, place.name, study.stacks)
        found += _strangers_of(f"{kind}, other views", place.name, study.other_views)
    return found


def _strangers_of(kind: str, name: str, stacks: Sequence[Stack]) -> list[Stranger]:
    found = []
    for stack in stacks:
        cine = stack.cine
        phases = sorted({round(share * (cine.phase_count - 1)) for share in _PHASES})
        images = tuple(cine.voxels[phase] for phase in phases)
        if len(np.unique(images[0])) <= _FEW_GREYS:
            _log.info("%s is left out: it looks like a map of labels.", cine.name)
            continue
        found.append(Stranger(kind, f"{name} {cine.name}", images, cine.geometry.spacing_mm))
    return found


def try_strangers(
    watcher: Watcher, familiarity: Familiarity, strangers: Sequence[Stranger]
) -> Steps[dict[str, list[float]]]:
    """The unfamiliarity of strangers: kind -> of each, the mean over its phases."""
    found: dict[str, list[float]] = {}
    for number, stranger in enumerate(strangers):
        yield Progress(number, len(strangers), f"Trying {stranger.kind}")
        seen = watcher.look(stranger.phases, stranger.spacing_mm)
        values = [familiarity.judge(each.values) for each in seen]
        found.setdefault(stranger.kind, []).append(float(np.mean(values)))
    return found
