"""Scores pooled over every pixel of a set, from one confusion matrix.

A ratio of nothing to nothing (a class that neither side has, the precision of a class that was
never predicted) has no value and is None, never NaN.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import GridMismatchError, UnusableLabelsError


@dataclass(frozen=True, slots=True)
class ClassScores:
    """Pooled scores of one class against all the others, each 0 to 1 or None.

    With true and false positives and negatives TP, FP, FN, TN:

    Attributes:
        accuracy: (TP + TN) / all.
        background_accuracy: What the accuracy would be if everything were called background: the
            figure that an accuracy has to be read beside.
        precision: TP / (TP + FP).
        recall: TP / (TP + FN), the sensitivity.
        specificity: TN / (TN + FP).
        dice: 2 TP / (2 TP + FP + FN). Equal to the F1 score.
        iou: TP / (TP + FP + FN). Equal to dice / (2 - dice).
        predicted: Pixels called so.
        reference: Pixels that are so.
    """

    accuracy: float | None
    background_accuracy: float | None
    precision: float | None
    recall: float | None
    specificity: float | None
    dice: float | None
    iou: float | None
    predicted: int
    reference: int


@dataclass(frozen=True, slots=True, eq=False)
class Confusion:
    """How often each class was called each class; two of them add up.

    Attributes:
        counts: (k, k) int64, rows the reference, columns the prediction. Read-only.
    """

    counts: NDArray[np.int64] = field(repr=False)

    def __post_init__(self) -> None:
        counts = np.array(self.counts, np.int64)
        assert counts.ndim == 2
        assert counts.shape[0] == counts.shape[1]
        counts.setflags(write=False)
        object.__setattr__(self, "counts", counts)

    @classmethod
    def empty(cls, classes: int) -> "Confusion":
        """No pixel yet."""
        return cls(np.zeros((classes, classes), np.int64))

    @classmethod
    def from_labels(
        cls, predicted: NDArray[Any], reference: NDArray[Any], *, classes: int
    ) -> "Confusion":
        """Count the pixels of two label arrays of one shape.

        Args:
            predicted: Class numbers, any shape.
            reference: The same.
            classes: How many there are, the background included.

        Raises:
            GridMismatchError: The shapes differ.
            UnusableLabelsError: A class number is not below `classes`.
        """
        if predicted.shape != reference.shape:
            raise GridMismatchError(
                f"The prediction is {predicted.shape} pixels and the reference {reference.shape}.",
                hint="Compare label maps of one image only.",
            )
        first = _class_numbers(predicted, classes)
        second = _class_numbers(reference, classes)
        if classes > 16:  # below, both numbers fit into one byte together
            second = second.astype(np.int64)
        codes = second * second.dtype.type(classes) + first
        eventful = codes[codes != 0]  # most pixels are background on both sides: quickly told
        counts = np.bincount(eventful, minlength=classes * classes)
        counts[0] = codes.size - eventful.size
        return cls(counts.reshape(classes, classes))

    def __add__(self, other: "Confusion") -> "Confusion":
        return Confusion(self.counts + other.counts)

    def of(self, numbers: Sequence[int]) -> "Confusion":
        """What it counts of some classes, the background among them; the others are left out."""
        chosen = list(numbers)
        return Confusion(self.counts[np.ix_(chosen, chosen)])

    @property
    def classes(self) -> int:
        """How many classes there are, the background included."""
        return len(self.counts)

    @property
    def total(self) -> int:
        """Pixels counted."""
        return int(self.counts.sum())

    @property
    def accuracy(self) -> float | None:
        """Share of the pixels that were called what they are."""
        return _ratio(np.trace(self.counts), self.total)

    @property
    def background_accuracy(self) -> float | None:
        """The accuracy of calling everything background."""
        return _ratio(self.counts[0].sum(), self.total)

    @property
    def mean_iou(self) -> float | None:
        """Mean IoU of all classes that occur on either side, the background included."""
        return _mean([scores.iou for scores in self.per_class()])

    @property
    def mean_foreground_dice(self) -> float | None:
        """Mean pooled Dice of all classes but the background that occur on either side."""
        return _mean([scores.dice for scores in self.per_class()[1:]])

    def per_class(self) -> tuple[ClassScores, ...]:
        """The scores of every class in turn, the background first."""
        return tuple(self._scores_of(number) for number in range(self.classes))

    def _scores_of(self, number: int) -> ClassScores:
        hit = int(self.counts[number, number])
        predicted, reference = (int(self.counts.sum(axis)[number]) for axis in (0, 1))
        everything = self.total
        missed, invented = reference - hit, predicted - hit
        rest = everything - hit - missed - invented
        return ClassScores(
            accuracy=_ratio(hit + rest, everything),
            background_accuracy=_ratio(
                reference if number == 0 else everything - reference, everything
            ),
            precision=_ratio(hit, predicted),
            recall=_ratio(hit, reference),
            specificity=_ratio(rest, rest + invented),
            dice=_ratio(2 * hit, predicted + reference),
            iou=_ratio(hit, hit + missed + invented),
            predicted=predicted,
            reference=reference,
        )

    def as_json(self, names: Sequence[str]) -> dict[str, Any]:
        """Counts and scores for a file; `names` are the classes', the background first."""
        assert len(names) == self.classes
        return {
            "classes": list(names),
            "counts": self.counts.tolist(),
            "accuracy": self.accuracy,
            "background_accuracy": self.background_accuracy,
            "mean_iou": self.mean_iou,
            "mean_foreground_dice": self.mean_foreground_dice,
            "per_class": {
                name: asdict(scores) for name, scores in zip(names, self.per_class(), strict=True)
            },
        }


def pool(confusions: Iterable[Confusion], *, classes: int) -> Confusion:
    """Add up any number of them; none at all gives one without pixels."""
    return sum(confusions, Confusion.empty(classes))


def _class_numbers(labels: NDArray[Any], classes: int) -> NDArray[Any]:
    whole = labels.astype(np.uint8) if labels.dtype == bool else labels
    if whole.dtype.kind not in "iu":
        raise UnusableLabelsError(
            f"Labels are whole class numbers, but these are of type {labels.dtype}.",
            hint="Turn probabilities into labels first, by their largest class.",
        )
    if whole.size and (whole.min() < 0 or whole.max() >= classes):
        raise UnusableLabelsError(
            f"The labels hold the values {whole.min()} to {whole.max()}, but there are only "
            f"{classes} classes, 0 to {classes - 1}.",
            hint="Translate the labels first, or name every class.",
        )
    return whole.astype(np.uint8 if classes <= 256 else np.int64, copy=False)


def _ratio(part: int | np.integer, whole: int | np.integer) -> float | None:
    return float(part) / float(whole) if whole else None


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def legacy_keras_mean_iou(
    probabilities: NDArray[np.floating], one_hot: NDArray[Any]
) -> float | None:
    """What Keras' `MeanIoU` says when it is fed probabilities and a one-hot truth by mistake.

    A demonstration only: nothing may be chosen or judged by it. That metric takes class numbers,
    so every probability below 1 is cut down to 0 and compared, number by number, with the 0s
    and 1s of the truth. With four classes the truth is 0 in three quarters of the places and 1
    in one: IoU 3/4 and 0, mean 0.375, however good or bad the network is.

    Args:
        probabilities: Of every class, any shape.
        one_hot: 1 at the true class and 0 elsewhere, the same shape.

    Returns:
        The mean over the two numbers 0 and 1, as far as they occur.
    """
    numbers = probabilities.astype(np.int64)  # the mistake: cut off, not rounded
    return Confusion.from_labels(numbers, one_hot.astype(np.int64), classes=2).mean_iou
