"""The same few slices after every epoch, so that one sees what a network learns.

`watched/slices.npz` in the folder of a run holds the slices with their reference, and
`watched/epoch-0001.npz` and so on what the network called them after each epoch.
"""

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.errors import ModelError
from engine.io.atomic_file import write_atomically
from engine.learning.pictures import SamplePictures
from engine.recipe import Recipe

if TYPE_CHECKING:
    from engine.datasets.samples import SampleSource
    from engine.learning.learner import Learner

WATCHED = "watched"
_SLICES = "slices.npz"
_COUNT = 4  # slices that are watched
_LOOKED_AT = 5  # samples near each place, of which the one with most classes is taken


class Watcher:
    """Writes down what a network calls some samples."""

    def __init__(self, folder: Path, source: "SampleSource", recipe: Recipe) -> None:
        """Choose the samples; nothing is written yet.

        Args:
            folder: Of the run.
            source: What validates; or what is trained on, where nothing does.
            recipe: What is trained.
        """
        self._folder = folder / WATCHED
        self._recipe = recipe
        self._samples = [(source.name_of(i), *source.sample(i)) for i in choose_samples(source)]
        self._began = False

    def look(self, learner: "Learner", epoch: int) -> None:
        """Write what the network calls the samples after an epoch.

        Raises:
            CannotSaveError: It cannot be written.
        """
        from engine.learning.assessment import called_classes

        if not self._began:
            pictures = SamplePictures.of(self._samples, self._recipe.task.colours)
            write_atomically(self._folder / _SLICES, pictures.to_bytes())
            self._began = True
        called = []
        for _, image, bits in self._samples:  # one by one: volumes differ in depth
            _, logits = learner.assess(image[None], bits[None].long())
            classes = called_classes(logits, self._recipe.scoring.threshold)[0].cpu().numpy()
            called.append(classes[classes.shape[0] // 2] if classes.ndim == 3 else classes)
        stream = io.BytesIO()
        np.savez_compressed(stream, labels=np.stack(called).astype(np.uint8))
        write_atomically(_place(self._folder, epoch), stream.getvalue())


def choose_samples(source: "SampleSource", count: int = _COUNT) -> list[int]:
    """Numbers of some samples from all over a source, each with as many classes as can be."""
    chosen = []
    for place in np.linspace(0, len(source), count, endpoint=False) + len(source) / count / 2:
        near = range(max(0, int(place) - _LOOKED_AT // 2), min(len(source), int(place) + 3))
        chosen.append(max(near, key=lambda index: len(np.unique(source.bits(index)))))
    return sorted(set(chosen))


def watched_epochs(folder: Path) -> list[int]:
    """The epochs after which the slices of a run were looked at, from 1."""
    paths = sorted((folder / WATCHED).glob("epoch-*.npz"))
    return [int(path.stem.partition("-")[2]) for path in paths]


def read_watched(folder: Path, epoch: int) -> tuple[SamplePictures, NDArray[np.uint8]]:
    """The slices of a run with their reference, and what they were called after an epoch.

    Returns:
        The pictures, and class numbers (n, y, x).

    Raises:
        ModelError: They cannot be read.
    """
    place = _place(folder / WATCHED, epoch)
    try:
        pictures = SamplePictures.from_bytes((folder / WATCHED / _SLICES).read_bytes())
        with np.load(place, allow_pickle=False) as file:
            return pictures, file["labels"]
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise ModelError(
            f"The watched slices in {place.parent} cannot be read.",
            hint="They are made anew when the training goes on; nothing else needs them.",
        ) from error


def _place(folder: Path, epoch: int) -> Path:
    return folder / f"epoch-{epoch:04d}.npz"
