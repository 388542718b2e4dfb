"""The collapse guard: tells early when a network has learned to call everything one class."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from engine.scoring.confusion import Confusion

_VANISHED = 0.01  # predicted foreground, as a share of the reference's
_MOSTLY_BACKGROUND = 0.95
_FEW_IMAGES = 200
_SLOW_START = 3  # epochs in which a network may still be on its way
_FALLING = 0.01  # a loss that falls by this share of itself in an epoch is on its way down
_BALANCED = re.compile(r"weight|wce|wcce|wbce|focal|median|inverse|generali[sz]ed|tversky")
_UNBALANCED = re.compile(r"\bb?ce\b|cross.?entropy|dice")
_ALL_FOREGROUND = (
    "Everything is called foreground: check that the class weights do not leave the background "
    "next to nothing, and that the learning rate is not too high.",
)


@dataclass(frozen=True, slots=True)
class TrainingFacts:
    """What is known about a training, to tell the likely cause of a collapse.

    Attributes:
        loss: The loss in words, such as "cross_entropy + dice". Empty if not known.
        images: Training images. None if not known.
        background_share: Background of the training pixels, 0 to 1. None takes the share in
            what was scored.
    """

    loss: str = ""
    images: int | None = None
    background_share: float | None = None


@dataclass(frozen=True, slots=True)
class CollapseWarning:
    """One sign of a collapse.

    Attributes:
        what: The sign, as a sentence.
        causes: Its likely causes and what helps, each a sentence; the likeliest first.
        early: Whether the training may only be slow to start.
    """

    what: str
    causes: tuple[str, ...]
    early: bool = False

    @property
    def text(self) -> str:
        """The sign with its likeliest cause."""
        common = " That is common in the first epochs. Should it stay so, look here first:"
        return f"{self.what}{common if self.early else ''} {self.causes[0]}"


def warn_of_collapse(
    confusion: Confusion,
    *,
    classes: Sequence[str],
    facts: TrainingFacts | None = None,
    losses: Sequence[float] = (),
    ended: bool = True,
) -> tuple[CollapseWarning, ...]:
    """Look at one epoch's validation for a prediction that has collapsed.

    Many networks call everything background for an epoch or two before they find anything. So
    the signs are `early` in the first epoch, and as long as the loss falls in the two after it.

    Args:
        confusion: Pooled over the validation set.
        classes: Names by class number, the background first.
        facts: What is known about the training.
        losses: The training loss of every epoch up to this one; empty where it is not known,
            and no sign is early.
        ended: Whether no epoch follows; then no sign is early.

    Returns:
        A warning where the predicted foreground is less than 1 % of the reference's, and one for
        every class of the reference of which not one pixel was found (of the background: when
        everything was called foreground). Empty for a sane prediction. A class that the
        reference lacks is not judged.
    """
    facts = facts or TrainingFacts()
    scores = confusion.per_class()
    background_share = confusion.background_accuracy
    causes = likely_causes(facts, background_share=background_share)
    early = not ended and _may_be_on_its_way(losses)
    warnings = list(
        warn_of_vanished_foreground(
            sum(score.predicted for score in scores[1:]),
            sum(score.reference for score in scores[1:]),
            causes=causes,
            early=early,
        )
    )
    for number, (name, score) in enumerate(zip(classes, scores, strict=True)):
        if score.recall == 0:
            warnings.append(
                CollapseWarning(
                    f"Not one pixel of the class {name} {'is found yet' if early else 'was found'}"
                    f": its recall is 0 on {score.reference} pixels.",
                    causes if number else _ALL_FOREGROUND,
                    early,
                )
            )
    return tuple(warnings)


def _may_be_on_its_way(losses: Sequence[float]) -> bool:
    """Whether a training with these losses may find nothing yet only because it is slow."""
    if not 0 < len(losses) <= _SLOW_START:
        return False
    return len(losses) == 1 or losses[-2] - losses[-1] > _FALLING * abs(losses[-2])


def warn_of_vanished_foreground(
    predicted: int, reference: int, *, causes: tuple[str, ...] = (), early: bool = False
) -> tuple[CollapseWarning, ...]:
    """Warn where the predicted foreground is less than 1 % of the reference's [pixels]."""
    if reference == 0 or predicted >= _VANISHED * reference:
        return ()
    what = (
        f"Almost nothing is predicted{' yet' if early else ''}: {predicted} foreground pixels, "
        f"{100 * predicted / reference:.2g} % of the reference's {reference}."
    )
    return (CollapseWarning(what, causes, early),)


def likely_causes(
    facts: TrainingFacts, *, background_share: float | None = None
) -> tuple[str, ...]:
    """The usual root causes of an all-zero prediction that fit the facts.

    Args:
        facts: What is known about the training.
        background_share: Taken where the facts do not state it, 0 to 1.
    """
    share = facts.background_share
    share = background_share if share is None else share
    causes = []
    if share is not None and share > _MOSTLY_BACKGROUND:
        causes.append(
            f"Background fills {100 * share:.1f} % of the pixels, so calling everything "
            "background already scores well: crop to the organ, or drop slices without any."
        )
    loss = facts.loss.lower().replace("_", " ")
    if _UNBALANCED.search(loss) and not _BALANCED.search(loss):
        causes.append(
            f"The loss ({facts.loss}) gives rare classes no weight: use class weights, such as "
            "median frequency, or a focal loss."
        )
    if facts.images is not None and facts.images < _FEW_IMAGES:
        causes.append(
            f"{facts.images} training images are few: use more patients, or more augmentation."
        )
    if not causes:
        causes.append(
            "None of the usual causes is known to apply: check the learning rate, and that "
            "images and labels still lie on each other after augmentation."
        )
    return tuple(causes)
