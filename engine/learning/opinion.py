"""What a model thinks of single slices, asked for one by one while a person corrects them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine.cine import Cine
from engine.errors import ModelError
from engine.labelmap import SlicePlace
from engine.learning.checkpoint import Model
from engine.learning.execution.executor import Executor
from engine.learning.execution.selection import executor_steps
from engine.learning.reading import Reader
from engine.learning.runtime import choose_device
from engine.progress import Progress, Steps
from engine.turning import Turn, find_turn

if TYPE_CHECKING:
    import torch


class Opinion:
    """A model and a stack that it can be asked about; made by `form_opinion`.

    The heart is looked for once, as a prediction does it, so that the probabilities are those that
    a prediction of the slice is made of.
    """

    def __init__(
        self, model: Model, cine: Cine, executor: Executor, device: "torch.device", *, phase: int
    ) -> None:
        stride: Any = model.network.stride
        self._cine = cine
        self._structures: Sequence[int] = model.recipe.task.structures
        self._turn = find_turn(cine.geometry) if _is_short_axis(model) else Turn()
        self._spacing_mm = self._turn.apply_to_sizes(cine.geometry.spacing_mm)
        self._reader = Reader(executor, model.recipe, stride=int(stride), device=device)
        self._window = self._reader.find_heart(self._image(phase), self._spacing_mm)

    def look(self, place: SlicePlace) -> NDArray[np.float32]:
        """The probability of every structure on a slice, (k, y, x) in the order of `Structure`.

        Outside the window around the heart all is background.
        """
        phase, number = place
        last = self._cine.slice_count - 1
        turned = last - number if self._turn.reversed_axes[0] else number
        scores = self._reader.score_slices(
            self._image(phase), self._spacing_mm, [turned], window=self._window
        )
        height, width = self._cine.shape[2:]
        found = np.zeros((max(self._structures) + 1, height, width), np.float32)
        for structure, score in zip(self._structures, scores[:, 0], strict=True):
            found[structure] += self._turn.undo(score[None])[0]
        return found

    def _image(self, phase: int) -> NDArray[np.generic]:
        return self._turn.apply(self._cine.voxels[phase])


def form_opinion(
    model: Model, cine: Cine, *, device: str = "auto", phase: int = 0
) -> Steps[Opinion]:
    """Make a model ready to be asked about slices of a stack.

    Args:
        model: Of a task of the heart.
        cine: The stack.
        device: auto, cpu or cuda.
        phase: Where the heart is looked for: end diastole, as in a prediction.

    Raises:
        ModelError: The model finds other things, or the device is not usable.
    """
    if not model.recipe.task.structures:
        raise ModelError(
            f"The model {model.entry.name} finds other things.", hint="Choose one for the heart."
        )
    place = choose_device(device)
    executor = yield from executor_steps(model, place)
    yield Progress(0, 0, "Looking for the heart")
    return Opinion(model, cine, executor, place, phase=phase)


def _is_short_axis(model: Model) -> bool:
    return bool(model.recipe.task.name == "short_axis")
