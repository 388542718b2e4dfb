"""Who made labels, as JSON: in the note beside them and in the journal of their edits."""

from typing import Any

from engine.doubt import PhaseDoubt
from engine.study import Origin, Provenance


def provenance_as_json(provenance: Provenance) -> dict[str, Any]:
    """All that is known of who made labels, as plain values."""
    return {
        "origin": provenance.origin.value,
        "model": provenance.model,
        "model_hash": provenance.model_hash,
        "model_licence": provenance.model_licence,
        "corrected_by": provenance.corrected_by,
        "corrected_slices": [list(map(int, pair)) for pair in provenance.corrected_slices],
        "source": provenance.source,
        "doubt": {str(phase): each.as_json() for phase, each in provenance.doubt.items()},
    }


def provenance_from_json(made: dict[str, Any]) -> Provenance:
    """What `provenance_as_json` gave.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: It is damaged.
    """
    return Provenance(
        origin=Origin(made["origin"]),
        model=str(made["model"]),
        model_hash=str(made["model_hash"]),
        corrected_by=str(made["corrected_by"]),
        corrected_slices=tuple((int(t), int(z)) for t, z in made["corrected_slices"]),
        source=str(made["source"]),
        model_licence=str(made.get("model_licence", "")),  # earlier versions kept none
        doubt={
            int(phase): PhaseDoubt.from_json(each) for phase, each in made.get("doubt", {}).items()
        },
    )
