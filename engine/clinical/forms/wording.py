"""The words of a report in other languages, from `resources/languages`.

A language file maps English words to its own; what it lacks stays English. Warnings and
conventions are sentences made of findings and choices, and stay English in every language.
"""

import tomllib
from functools import cache

from engine.clinical.template import Language
from resources import resource_path

WORDS = (
    "Cardiac MR: ventricular volumes and function",
    "Cardiac MR: left atrial volume",
    "Research use only — not for clinical decisions",
    "Patient",
    "Sex",
    "Age",
    "Height",
    "Weight",
    "Body surface",
    "Heart rate",
    "Scanner",
    "Made",
    "End diastole",
    "End systole",
    "phase",
    "Warnings",
    "Results",
    "Normal range",
    "Images",
    "Volume over time",
    "Slices",
    "Slice",
    "Phase",
    "Wall",
    "Segment",
    "Thickness at ED",
    "Thickness at ES",
    "Thickening",
    "Base",
    "Rule",
    "Conventions",
    "Provenance",
    "Labels",
    "Model",
    "Corrected by",
    "NOT APPROVED",
    "Not approved by a reader: the numbers may change",
    "unknown",
    "male",
    "female",
    "other",
    "Left ventricle",
    "Right ventricle",
    "per m²",
    "End-diastolic volume",
    "End-systolic volume",
    "Stroke volume",
    "Ejection fraction",
    "Myocardial mass",
    "Cardiac output",
    "Left atrial volume",
    "Left atrium",
    "Left atrium, largest",
    "Left atrium, smallest",
    "biplane",
    "2-chamber view alone",
    "4-chamber view alone",
    "mitral annulus set by the reader",
    "Emptying fraction",
    "Research use only",
    "Page",
    "Read and signed by",
    "Read and approved by",
    "Approved by",
    "Approval",
    "Facts",
    "Study",
    "Stack",
    "Voxels",
    "Phases",
    "ED, ES",
    "years",
    "slice",
    "slices",
    "phases",
    "slice distance",
    "not stated",
    "largest and smallest LV cavity",
    "smallest and largest left atrium",
    "by hand",
    "as the source states",
    "only one labelled phase",
    "LV cavity red",
    "outer border of the myocardium green",
    "RV yellow",
    "left atrium light blue",
    "LV",
    "RV",
    "left atrium",
    "basal",
    "mid",
    "apical",
    "first third",
    "middle",
    "last third",
    "time after the R wave",
    "volume",
    "anterior",
    "inferior",
    "septal",
    "lateral",
    "mean",
    "largest",
    "Mass",
    "Border",
    "after",
    "Peak ejection and filling rate",
    "Volume",
    "Normal ranges",
    "Here",
    "People",
    "Source",
    "men",
    "women",
    "LV EF",
    "LV EDV",
    "LV ESV",
    "LV mass index",
    "RV EDV",
    "RV ESV",
    "reader's choice",
    "myocardium ≥ 50 %",
    "myocardium 100 %",
    "Segments of the American Heart Association (Cerqueira et al. 2002), seen from the apex.",
    "Volumes in ml, from base to apex; a dash stands where nothing is drawn or counts. Border: "
    "share of the cavity's border that is myocardium.",
    "Limitations",
    "Called no fault by the reader",
    "reference contours",
    "predicted, not yet corrected by a reader",
    "predicted, then corrected by a reader",
    "licence",
    "an unnamed reader",
    "Anterior and inferior by",
    "Insertion points set by the reader",
    "position in the patient",
    "picture",
    "from",
)
"""Every English word of the pages, for a browser and printed, that language files translate."""


class Wording:
    """Says English words in another language."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._words = _words_of(language)

    def __call__(self, english: str) -> str:
        """The word in this language; as it is where the language has none."""
        return self._words.get(english, english)


@cache
def _words_of(language: Language) -> dict[str, str]:
    if language is Language.ENGLISH:
        return {}
    path = resource_path("languages", f"report.{language.value}.toml")
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    return {str(english): str(own) for english, own in content.items()}
