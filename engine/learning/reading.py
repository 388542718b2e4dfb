"""Showing a volume to a network, and bringing its answer back to the voxels as acquired.

Where a recipe is trained on patches, the heart is looked for first, in a few middle slices seen
whole; then only a window around it is shown. That is several times quicker, what lies far from the
heart cannot be taken for it, and padding or cutting the image changes nothing.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from engine.datasets.framing import Framing, plan_framing
from engine.datasets.intensity import prepare_image, scale_patches
from engine.datasets.neighbours import stack_neighbours
from engine.errors import ModelError
from engine.learning.components import clean_up
from engine.learning.execution import Answer
from engine.learning.execution.torch_executor import TorchExecutor
from engine.learning.window import Window, around_heart, whole_slices
from engine.recipe import ImageRecipe, Recipe

_SLICES_A_CALL = 16  # bounds the memory; how they are computed is the executor's matter
_SEARCHED = (0.35, 0.5, 0.65)  # of the stack: where a heart is looked for

Execute = Callable[[Tensor], Answer]
"""Images (n, c, y, x) or (n, c, z, y, x) -> what the network says about them."""

Spacing = tuple[float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What a network says about a volume.

    Attributes:
        labels: (z, y, x) uint8, the likeliest class of each voxel, cleaned up.
        window: What it was shown.
        scores: (k, z, y, x) float32, probabilities on the voxels as acquired, where asked for.
        framed: (z, k, y', x') float32, probabilities on the network's grid, where asked for.
        shown: (z, c, y', x') float32, the images as the network got them, where asked for.
        framed_mm: Size of a voxel of that grid (z, y, x) [mm].
        deep: (z, f), see `Answer`; None where the network gives none or it was not asked for.
    """

    labels: NDArray[np.uint8] = field(repr=False)
    window: Window
    scores: NDArray[np.float32] | None = field(default=None, repr=False)
    framed: Tensor | None = field(default=None, repr=False)
    shown: Tensor | None = field(default=None, repr=False)
    framed_mm: Spacing = (0.0, 0.0, 0.0)
    deep: Tensor | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Logits of some slices: (n, k, y', x') on the network's grid, (n, k, y, x) as acquired."""

    where: slice
    shown: Tensor
    framed: Tensor
    native: Tensor
    deep: Tensor | None


class Reader:
    """Shows volumes to a network by a recipe."""

    def __init__(
        self, execute: Execute, recipe: Recipe, *, stride: int, device: torch.device
    ) -> None:
        self._execute = execute
        self._recipe = recipe
        self._stride = stride
        self._device = device

    def read(
        self,
        image: NDArray[np.generic],
        spacing_mm: Spacing,
        *,
        window: Window | None = None,
        adjacent: bool = True,
        scores: bool = False,
        facts: bool = False,
    ) -> Reading:
        """Label a volume and clean it up.

        Args:
            image: As acquired, (z, y, x), or (z, y, x, 3) in colour.
            spacing_mm: (z, y, x) [mm].
            window: Where the heart is, if known; else it is looked for.
            adjacent: Whether slices that follow each other are neighbours in the body.
            scores: Whether probabilities as acquired are wanted.
            facts: Whether those on the network's grid and the deep values are wanted.

        Raises:
            ModelError: The image is grey where the task wants colour, or the other way round.
        """
        self._check(image)
        chosen = window or self.find_heart(image, spacing_mm, adjacent=adjacent)
        reading = self._read(image, spacing_mm, chosen, adjacent, scores, facts)
        if not chosen.holds_all(reading.labels):  # larger than the middle slices let expect
            chosen = whole_slices(image.shape)
            reading = self._read(image, spacing_mm, chosen, adjacent, scores, facts)
        return reading

    def find_heart(
        self, image: NDArray[np.generic], spacing_mm: Spacing, *, adjacent: bool = True
    ) -> Window:
        """The window around the heart of a volume; whole slices if there is none, or no patches."""
        self._check(image)
        recipe, whole = self._recipe, whole_slices(image.shape)
        patches = recipe.image.fit == "patch" and recipe.data.sample == "slice"
        if not patches or recipe.data.task != "short_axis":
            return whole
        last = len(image) - 1
        searched = sorted({round(share * last) for share in _SEARCHED})
        labels = self._label(image, spacing_mm, whole, searched, adjacent, _coarse(recipe))
        heart = clean_up(labels, recipe.scoring.clean_up)
        found = around_heart(heart, spacing_mm, recipe.image, stride=self._stride)
        if found is None or found.height * found.width >= whole.height * whole.width:
            return whole
        return found

    def label_slices(
        self, image: NDArray[np.generic], spacing_mm: Spacing, wanted: list[int], *, window: Window
    ) -> NDArray[np.uint8]:
        """The likeliest class in some slices, (n, y, x), not cleaned up."""
        self._check(image)
        return self._label(image, spacing_mm, window, wanted, True, self._recipe.image)

    def score_slices(
        self, image: NDArray[np.generic], spacing_mm: Spacing, wanted: list[int], *, window: Window
    ) -> NDArray[np.float32]:
        """The probability of every class in some slices, (k, n, y, x), as acquired."""
        self._check(image)
        classes = len(self._recipe.task.classes)
        scores = np.zeros((classes, len(wanted), *image.shape[1:3]), np.float32)
        scores[0] = 1
        _, parts = self._parts(image, spacing_mm, window, True, wanted, self._recipe.image)
        for part in parts:
            found = _probabilities(part.native).transpose(0, 1).cpu().numpy()
            window.paste(found, scores[:, part.where])
        return scores

    def _label(
        self,
        image: NDArray[np.generic],
        spacing_mm: Spacing,
        window: Window,
        wanted: list[int],
        adjacent: bool,
        sight: ImageRecipe,
    ) -> NDArray[np.uint8]:
        labels = np.zeros((len(wanted), *image.shape[1:3]), np.uint8)
        _, parts = self._parts(image, spacing_mm, window, adjacent, wanted, sight)
        for part in parts:
            window.paste(self._likeliest(part.native), labels[part.where])
        return labels

    def _read(
        self,
        image: NDArray[np.generic],
        spacing_mm: Spacing,
        window: Window,
        adjacent: bool,
        scores: bool,
        facts: bool,
    ) -> Reading:
        recipe = self._recipe
        labels = np.zeros(image.shape[:3], np.uint8)
        native = None
        if scores:
            native = np.zeros((len(recipe.task.classes), *image.shape[:3]), np.float32)
            native[0] = 1
        framed, shown, deep = [], [], []
        every = list(range(len(image)))
        plan, parts = self._parts(image, spacing_mm, window, adjacent, every, recipe.image)
        for part in parts:
            window.paste(self._likeliest(part.native), labels[part.where])
            if native is not None:
                found = _probabilities(part.native).transpose(0, 1).cpu().numpy()
                window.paste(found, native[:, part.where])
            if facts:
                framed.append(_probabilities(part.framed).cpu())
                shown.append(part.shown.cpu())
                deep += [part.deep.cpu()] if part.deep is not None else []
        return Reading(
            clean_up(labels, recipe.scoring.clean_up),
            window,
            native,
            torch.cat(framed) if framed else None,
            torch.cat(shown) if shown else None,
            plan.framed_mm,
            torch.cat(deep) if deep else None,
        )

    def _parts(
        self,
        image: NDArray[np.generic],
        spacing_mm: Spacing,
        window: Window,
        adjacent: bool,
        wanted: list[int],
        sight: ImageRecipe,
    ) -> tuple[Framing, Iterator[_Part]]:
        """The way to the network's grid, and its answers about the wanted slices, part by part.

        A 3-D network looks at all slices at once, whatever is wanted.
        """
        values = window.cut(prepare_image(image, sight))
        z, y, x = values.shape[:3]
        plan = plan_framing((z, y, x), spacing_mm, sight, stride=self._stride)
        if self._recipe.data.sample == "volume":
            return plan, iter([self._whole(values, plan, wanted)])
        return plan, self._slices(values, plan, adjacent, wanted)

    @torch.inference_mode()
    def _whole(self, values: NDArray[np.float32], plan: Framing, wanted: list[int]) -> _Part:
        framed = torch.from_numpy(plan.to_network(values))
        channels = framed[None] if framed.ndim == 3 else framed.movedim(3, 0)
        channels = scale_patches(channels[None], self._recipe.image)
        answer = self._execute(channels.contiguous().to(self._device))
        logits = answer.logits[0].transpose(0, 1)  # (z, k, y, x)
        shown = channels[0].transpose(0, 1)  # (z, c, y, x)
        native = plan.to_native(logits)[wanted]
        return _Part(slice(0, len(wanted)), shown, logits, native, None)

    @torch.inference_mode()
    def _slices(
        self, values: NDArray[np.float32], plan: Framing, adjacent: bool, wanted: list[int]
    ) -> Iterator[_Part]:
        data = self._recipe.data
        for start in range(0, len(wanted), _SLICES_A_CALL):
            chosen = wanted[start : start + _SLICES_A_CALL]
            stacked = stack_neighbours(
                values, chosen, count=data.neighbours, edge=data.edge, adjacent=adjacent
            )
            framed = plan.planes_to_network(torch.from_numpy(stacked).to(self._device))
            framed = scale_patches(framed, self._recipe.image)
            answer = self._execute(framed.contiguous(memory_format=torch.channels_last))
            where = slice(start, start + len(chosen))
            native = plan.planes_to_native(answer.logits)
            yield _Part(where, framed, answer.logits, native, answer.deep)

    def _likeliest(self, logits: Tensor) -> NDArray[np.uint8]:
        if logits.shape[1] > 1:
            found = logits.max(dim=1).indices  # four times as quick as argmax, and the same
        else:
            threshold = self._recipe.scoring.threshold
            found = logits[:, 0] >= math.log(threshold / (1 - threshold))
        labels: NDArray[np.uint8] = found.to(torch.uint8).cpu().numpy()
        return labels

    def _check(self, image: NDArray[np.generic]) -> None:
        colours, task = 1 if image.ndim == 3 else image.shape[3], self._recipe.task
        if colours != task.colours:
            raise ModelError(
                f"The image has {colours} channels a pixel; models for {task.title.lower()} "
                f"want {task.colours}.",
                hint="Choose a model that was trained on such images.",
            )


def _coarse(recipe: Recipe) -> ImageRecipe:
    """What the network sees while it looks for a heart: the coarsest pixels it was trained on."""
    pixel_mm = recipe.image.spacing_mm
    if pixel_mm is None:
        return recipe.image
    coarsest_mm = pixel_mm / min(1.0, recipe.augmentation.smallest_scale)
    return recipe.image.model_copy(update={"spacing_mm": coarsest_mm})


def _probabilities(logits: Tensor) -> Tensor:
    """Softmax over the channels of (n, k, y, x), or the sigmoid of one beside its rest."""
    if logits.shape[1] > 1:
        return logits.float().softmax(dim=1)
    inside = logits.float().sigmoid()
    return torch.cat([1 - inside, inside], dim=1)


def reader_of(network: nn.Module, recipe: Recipe, device: torch.device) -> Reader:
    """A reader for a network in evaluation mode, which is moved to `device`."""
    network.to(device)
    stride = int(network.stride)  # type: ignore[arg-type]
    return Reader(TorchExecutor(network, device), recipe, stride=stride, device=device)
