"""The collapse guard: tells early when a network has learned to call everything one class."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from engine.scoring.confusion import Confusion

_VANISHED = 0.01  # predicted foreground, as a share of the reference's
_MOSTLY_BACKGROUND = 0.95
_FEW_IMAGES = 200
_BALANCED = re.compile(r"weight|wce|wcce|wbce|focal|median|inverse|generali[sz]ed|tversky")
_UNBALANCED = re.compile(r"\bb?ce\b|cross.?entropy|dice")


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
    """

    what: str
    causes: tuple[str, ...]


def warn_of_collapse(
    confusion: Confusion, *, classes: Sequence[str], facts: TrainingFacts | None = None
) -> tuple[CollapseWarning, ...]:
    """Look at one epoch's validation for a prediction that has collapsed.

    Args:
        confusion: Pooled over the validation set.
        classes: Names by class number, the background first.
        facts: What is known about the training.

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
    warnings = list(
        warn_of_vanished_foreground(
            sum(score.predicted for score in scores[1:]),
            sum(score.reference for score in scores[1:]),
            causes=causes,
        )
    )
    for name, score in zip(classes, scores, strict=True):
        if score.recall == 0:
            warnings.append(
                CollapseWarning(
                    f"Not one pixel of the class {name} was found: its recall is 0 on "
                    f"{score.reference} pixels.",
                    causes,
                )
            )
    return tuple(warnings)


def warn_of_vanished_foreground(
    predicted: int, reference: int, *, causes: tuple[str, ...] = ()
) -> tuple[CollapseWarning, ...]:
    """Warn where the predicted foreground is less than 1 % of the reference's [pixels]."""
    if reference == 0 or predicted >= _VANISHED * reference:
        return ()
    what = (
        f"Almost nothing is predicted: {predicted} foreground pixels, "
        f"{100 * predicted / reference:.2g} % of the reference's {reference}."
    )
    return (CollapseWarning(what, causes),)


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
