"""Who made the labels as they are now."""

from dataclasses import replace

from engine.study import Origin, Provenance
from heartseg_gui.documents.study_document import StudyDocument


def signed_provenance(document: StudyDocument, reader: str) -> Provenance:
    """The document's provenance with the reader's corrections.

    Args:
        document: What is being edited.
        reader: Who sits before the screen; may be empty.

    Returns:
        The provenance as it is while nobody has corrected a slice.
    """
    slices = document.corrected_slices()
    provenance = document.provenance
    if document.signed is not None:
        plain, signed = document.signed
        if plain == provenance and slices == tuple(sorted(signed.corrected_slices)):
            return signed  # as it lies in the file: whoever looks at it now changed nothing
        if set(slices) <= set(signed.corrected_slices):
            reader = signed.corrected_by or reader  # nobody has corrected another slice since
    if slices == tuple(sorted(provenance.corrected_slices)):
        return provenance
    return replace(
        provenance,
        origin=Origin.CORRECTED,
        corrected_by=reader or provenance.corrected_by or "unnamed reader",
        corrected_slices=slices,
    )
