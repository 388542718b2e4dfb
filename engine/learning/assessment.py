"""How well a network does on a whole set of batches, pooled over their pixels."""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from engine.learning.losses import labels_of
from engine.learning.processes import Processes
from engine.recipe import Recipe
from engine.scoring.confusion import Confusion


@dataclass(frozen=True, slots=True)
class Assessment:
    """What a set of batches showed.

    Attributes:
        images: How many images there were.
        values: Mean over them of `loss` and, where known, of each of its terms.
        confusion: Pooled over all pixels whose label is certain.
    """

    images: int
    values: dict[str, float]
    confusion: Confusion = field(repr=False)

    def score(self, monitor: str) -> float | None:
        """The value of a recipe's `monitor`; None where there is nothing to score.

        val_dice is the mean over the classes but the background of the Dice pooled over all
        pixels; val_iou the mean IoU of the most probable classes, the background included.
        """
        if monitor == "val_dice":
            return self.confusion.mean_foreground_dice
        if monitor == "val_iou":
            return self.confusion.mean_iou
        loss = self.values.get("loss")
        return loss if loss is not None and math.isfinite(loss) else None


class Assessor:
    """Adds up batches to an assessment."""

    def __init__(self, recipe: Recipe, device: torch.device) -> None:
        self._classes = len(recipe.task.classes)
        self._threshold = recipe.scoring.threshold
        self._counts = torch.zeros(self._classes**2, dtype=torch.int64, device=device)
        self._sums: dict[str, float] = {}
        self._images = 0

    @property
    def images(self) -> int:
        """Images added so far in this process."""
        return self._images

    def mean(self, name: str) -> float:
        """Mean of a value over the images added so far in this process."""
        return self._sums.get(name, 0.0) / max(1, self._images)

    def add(self, values: dict[str, float], images: int) -> None:
        """Add the mean values of a batch of so many images."""
        self._images += images
        for name, value in values.items():
            self._sums[name] = self._sums.get(name, 0.0) + value * images

    def count(self, logits: Tensor, possible: Tensor) -> None:
        """Count the pixels of a batch: logits (b, c, [z,] y, x), bits (b, [z,] y, x)."""
        called = called_classes(logits, self._threshold)
        possible = possible.to(logits.device)
        certain = (possible & (possible - 1)) == 0
        pairs = labels_of(possible)[certain] * self._classes + called[certain]
        self._counts += torch.bincount(pairs, minlength=self._classes**2)

    def finish(self, processes: Processes) -> Assessment:
        """The assessment of all processes' batches, which all must ask for."""
        names = sorted(self._sums)
        own = torch.tensor([self._images, *(self._sums[name] for name in names)])
        images, *sums = processes.sum(own.double()).tolist()
        counts = processes.sum(self._counts).cpu().numpy()
        return Assessment(
            int(images),
            {name: total / images for name, total in zip(names, sums, strict=True) if images},
            Confusion(counts.reshape(self._classes, self._classes)),
        )


def called_classes(logits: Tensor, threshold: float) -> Tensor:
    """The class a network calls each pixel, (b, [z,] y, x) int64.

    Args:
        logits: (b, c, [z,] y, x); with c = 1 the logit of class 1.
        threshold: Probability from which on a pixel of a network with c = 1 is class 1.
    """
    if logits.shape[1] > 1:
        return logits.argmax(dim=1)
    return (logits[:, 0] >= math.log(threshold / (1 - threshold))).long()
