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
    if slices == tuple(sorted(provenance.corrected_slices)):
        return provenance
    return replace(
        provenance,
        origin=Origin.CORRECTED,
        corrected_by=reader or provenance.corrected_by or "unnamed reader",
        corrected_slices=slices,
    )
