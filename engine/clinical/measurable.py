"""What a stack must be like to be measured, and what must be told of it."""

from engine.clinical.phases import PhaseChoice
from engine.errors import GridMismatchError, UnmeasurableError
from engine.labelmap import LabelMap
from engine.study import Stack


def refuse_unmeasurable(stack: Stack, labels: LabelMap) -> None:
    """Refuse a stack that would give wrong volumes, and labels of another grid.

    Raises:
        UnmeasurableError: A blocking problem, or images that are missing.
        GridMismatchError: The labels do not lie on the stack.
    """
    for problem in stack.problems:
        if problem.blocking:
            raise UnmeasurableError(
                f"This stack would give wrong volumes: {problem.what} ({problem.where})",
                hint=problem.hint,
            )
    if stack.holes:
        phase, slice_index = stack.holes[0]
        raise UnmeasurableError(
            f"{len(stack.holes)} images of the stack are missing, the first at phase "
            f"{phase + 1}, slice {slice_index + 1}.",
            hint="Export the whole series again; volumes over a hole would be too small.",
        )
    if labels.shape != stack.cine.shape or not labels.geometry.matches(stack.cine.geometry):
        raise GridMismatchError(
            f"The label map is {labels.shape} voxels (t, z, y, x), the cine {stack.cine.shape}, "
            "or they lie at different places.",
            hint="It was probably drawn on another series. Open it together with that one.",
        )


def refuse_unknown_size(stack: Stack) -> None:
    """Refuse a stack whose pixels have no known size.

    Raises:
        UnmeasurableError: They have none.
    """
    if not stack.size_known:
        raise UnmeasurableError(
            "The size of a pixel is not known, so nothing can be measured in ml.",
            hint="The labels can be saved and compared; volumes need DICOM or NIfTI images with "
            "their spacing.",
        )


def warn_about_phases(
    stack: Stack, choice: PhaseChoice, *, atrium_alone: bool = False
) -> list[str]:
    """What to tell of the phases: one alone, or others than the source names.

    Args:
        stack: Names phases, perhaps.
        choice: Those that were measured.
        atrium_alone: Whether there is a left atrium and no ventricle.
    """
    warnings = []
    if choice.ed is None or choice.es is None:
        phase = choice.ed if choice.ed is not None else choice.es
        assert phase is not None
        if atrium_alone:
            return [f"Only phase {phase + 1} is labelled: the left atrium has one volume."]
        warnings.append(
            f"Only phase {phase + 1} is labelled, taken as {'ES' if choice.ed is None else 'ED'}: "
            "there is no stroke volume and no ejection fraction."
        )
    for name, found, stated in (
        ("ED", choice.ed, stack.ed_phase),
        ("ES", choice.es, stack.es_phase),
    ):
        if found is not None and stated is not None and found != stated:
            warnings.append(
                f"The source calls phase {stated + 1} {name}, measured was phase {found + 1}."
            )
    return warnings


def warn_about_one_slice(stack: Stack) -> list[str]:
    """What to tell of a stack of one slice."""
    if stack.cine.slice_count > 1:
        return []
    return [
        "The stack has only one slice: its volumes are those of one disc, not of a ventricle. "
        "Open the whole short-axis stack."
    ]
