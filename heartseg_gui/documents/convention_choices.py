"""The conventions that a reader can choose, in the words of the window."""

from enum import StrEnum

from engine.clinical.basal import BasalRule
from engine.clinical.body import BodySurfaceFormula
from engine.clinical.conventions import MassPhase, PapillaryRule, RvPhases
from engine.clinical.volumes import EndSlices

CONVENTION_TIPS = {
    "papillary": "What the labels count papillary muscles as; nothing is recomputed",
    "basal": "Which slices at the base belong to the left ventricle",
    "end_slices": "How high the first and the last disc are",
    "body_surface": "The formula of the body surface, and so of every index",
    "rv_phases": "Whether the RV has an end diastole and end systole of its own",
    "mass_phase": "In which phase the LV mass is taken",
    "ef_digits": "How ejection fractions are printed; they are kept unrounded",
}
"""What each choice is about, by its name in `Conventions`."""

CONVENTION_CHOICES: tuple[tuple[str, str, tuple[tuple[StrEnum | int, str], ...]], ...] = (
    (
        "papillary",
        "Papillary muscles",
        ((PapillaryRule.CAVITY, "part of the cavity"), (PapillaryRule.MASS, "part of the mass")),
    ),
    (
        "basal",
        "Basal slices",
        (
            (BasalRule.READER, "reader's choice"),
            (BasalRule.HALF, "myocardium ≥ 50 %"),
            (BasalRule.FULL, "myocardium 100 %"),
        ),
    ),
    (
        "end_slices",
        "End slices",
        ((EndSlices.WHOLE, "in full"), (EndSlices.HALF_GAP, "without the half gap")),
    ),
    (
        "body_surface",
        "Body surface",
        (
            (BodySurfaceFormula.MOSTELLER, "Mosteller"),
            (BodySurfaceFormula.DUBOIS, "DuBois"),
            (BodySurfaceFormula.HAYCOCK, "Haycock"),
        ),
    ),
    (
        "rv_phases",
        "RV phases",
        ((RvPhases.AS_LV, "those of the LV"), (RvPhases.OWN, "its own")),
    ),
    ("mass_phase", "LV mass at", ((MassPhase.ED, "ED"), (MassPhase.ES, "ES"))),
    ("ef_digits", "EF is shown", ((0, "in whole per cent"), (1, "with one decimal"))),
)
"""Name in `Conventions`, title, and its values with their words."""
