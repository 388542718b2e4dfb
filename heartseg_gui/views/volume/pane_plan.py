"""Whose labels each pane shows, what it is called, and what is said where there is nothing."""

from dataclasses import dataclass

from engine.labelmap import LabelMap
from heartseg_gui.actions import keys_of
from heartseg_gui.documents.space_state import Colouring, LabelSource, Panes, SpaceState
from heartseg_gui.documents.study_document import StudyDocument

SOURCE_NAMES = {
    LabelSource.LABELS: "Labels on the screen",
    LabelSource.REFERENCE: "Reference",
    LabelSource.PREDICTION: "Prediction",
}
"""What the panes and the choice of their labels are called."""

_SENTENCE_NAMES = {
    LabelSource.LABELS: "the labels on the screen",
    LabelSource.REFERENCE: "the reference",
    LabelSource.PREDICTION: "the prediction",
}
_HIDDEN = "Hidden until this second reading is approved."
_LONGEST_MODEL = 24  # letters of a model's name that a title has room for


@dataclass(frozen=True, slots=True)
class PanePlan:
    """What one pane is to show.

    Attributes:
        title: What it is.
        source: Whose surfaces, or None for none.
        message: Why there are none in this phase, or empty.
        other: Whose surfaces the colours compare with, or None.
        net: Whether the reference lies over it as a net.
        fog: Whether it shows the image itself.
    """

    title: str
    source: LabelSource | None = None
    message: str = ""
    other: LabelSource | None = None
    net: bool = False
    fog: bool = False


def plan_panes(document: StudyDocument, space: SpaceState, phase: int) -> tuple[PanePlan, ...]:
    """The panes of one phase (0-based), from left to right."""
    look = space.look
    if look.panes is Panes.ONE:
        return (_only_pane(document, space, phase),)
    label = space.sources[0] or usual_label(document)
    prediction = space.sources[1] or LabelSource.PREDICTION
    return (
        PanePlan("Image", fog=True),
        _pane(document, label, phase, other=prediction),
        _pane(document, prediction, phase, other=label),
    )


def usual_label(document: StudyDocument) -> LabelSource:
    """What the pane *label* shows unless the reader chose: the reference where there is one."""
    hidden = document.review.blinded or document.reference is None
    return LabelSource.LABELS if hidden else LabelSource.REFERENCE


def missing(document: StudyDocument, source: LabelSource, phase: int) -> str:
    """Why there are no labels of a source in a phase, in a sentence; empty where there may be."""
    if source is not LabelSource.LABELS and document.review.blinded:
        return _HIDDEN
    if source is LabelSource.LABELS:
        return "" if document.stack_labels is not None else "A long axis has no volume to show."
    if source is LabelSource.REFERENCE:
        return "" if document.reference is not None else "No reference came with this study."
    predicted = document.predicted
    if predicted.labels is None:
        return f"There is no prediction yet. {keys_of('predict')} predicts ED and ES."
    if phase not in predicted.phases:
        return f"Phase {phase + 1} was not predicted. {keys_of('predict_phase')} predicts it."
    return ""


def name_in_sentence(source: LabelSource) -> str:
    """E.g. *the reference*."""
    return _SENTENCE_NAMES[source]


def nothing_labelled(phase: int) -> str:
    """Said where a source has labels, but not in this phase (0-based)."""
    return f"Nothing is labelled in phase {phase + 1}."


def dimmed_instead(title: str, source: LabelSource, phase: int, near: int) -> str:
    """Said where another phase (0-based) stands dimmed in the place of this one."""
    lacking = "was not predicted" if source is LabelSource.PREDICTION else "is not labelled"
    return f"{title} of phase {near + 1}, dimmed: phase {phase + 1} {lacking}"


def needed_sources(plans: tuple[PanePlan, ...], colouring: Colouring) -> tuple[LabelSource, ...]:
    """All labels of which surfaces must be there, those that are shown first."""
    wanted = [plan.source for plan in plans]
    if colouring is Colouring.DIFFERENCE:
        wanted += [plan.other for plan in plans]
    if any(plan.net for plan in plans):
        wanted.append(LabelSource.REFERENCE)
    return tuple(dict.fromkeys(source for source in wanted if source is not None))


def _only_pane(document: StudyDocument, space: SpaceState, phase: int) -> PanePlan:
    look, reference = space.look, LabelSource.REFERENCE
    source = None if document.stack_labels is None else LabelSource.LABELS
    others = (reference, LabelSource.PREDICTION)
    other = next((each for each in others if not missing(document, each, phase)), None)
    net = look.net and not missing(document, reference, phase)
    title = "Image" if source is None else SOURCE_NAMES[source]
    return PanePlan(title, source, other=other, net=net, fog=look.fog)


def _pane(
    document: StudyDocument, source: LabelSource, phase: int, *, other: LabelSource
) -> PanePlan:
    title, model = SOURCE_NAMES[source], document.predicted.model
    if source is LabelSource.PREDICTION and 0 < len(model) <= _LONGEST_MODEL:
        title = f"{title} ({model})"
    absent = missing(document, source, phase)
    if absent:
        others = source is LabelSource.PREDICTION and document.predicted.phases
        shown = others and not document.review.blinded  # in other phases
        return PanePlan(title, source if shown else None, message=absent)
    return PanePlan(title, source, other=None if missing(document, other, phase) else other)


def labels_of(document: StudyDocument, source: LabelSource) -> LabelMap | None:
    """The labels that a source stands for, or None where there are none."""
    if source is LabelSource.LABELS:
        return document.stack_labels
    if source is LabelSource.REFERENCE:
        return document.reference
    return document.predicted.labels
