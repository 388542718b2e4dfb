"""Coded names and units of what is measured in a heart.

Codes are those that DICOM PS3.16 lists (CID 3833 and 3835 for MR, CID 12200 and 12204, SNOMED CT
and LOINC); where it has none, the scheme `99HEARTSEG` names the quantity, as PS3.16 section 8
allows for private codes.
"""

from enum import Enum

from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

OWN_SCHEME = "99HEARTSEG"


def _unit(ucum: str) -> Code:
    return Code(ucum, "UCUM", ucum)


def own_code(value: str, meaning: str) -> Code:
    """A code of this program's own scheme; the meaning has 64 characters at most."""
    assert len(meaning) <= 64
    return Code(value, OWN_SCHEME, meaning)


class Quantity(Enum):
    """What is measured: its code and its unit (UCUM)."""

    LV_EDV = (codes.LN.LeftVentricularEDVolume, _unit("ml"))
    LV_ESV = (codes.LN.LeftVentricularESVolume, _unit("ml"))
    RV_EDV = (codes.LN.RightVentricularEDVolume, _unit("ml"))
    RV_ESV = (codes.LN.RightVentricularESVolume, _unit("ml"))
    STROKE_VOLUME = (codes.SCT.StrokeVolume, _unit("ml"))
    LV_EF = (codes.LN.LeftVentricularEjectionFractionByMR, _unit("%"))
    RV_EF = (codes.LN.RightVentricularEjectionFractionByMR, _unit("%"))
    CARDIAC_OUTPUT = (codes.SCT.CardiacOutput, _unit("l/min"))
    CARDIAC_INDEX = (codes.SCT.CardiacIndex, _unit("l/min/m2"))
    STROKE_INDEX = (codes.SCT.StrokeIndex, _unit("ml/m2"))
    LV_MASS = (codes.LN.LeftVentricleMass, _unit("g"))
    LV_MASS_INDEX = (own_code("lv-mass-index", "Left ventricular mass / BSA"), _unit("g/m2"))
    EDV_INDEX = (own_code("edv-index", "End diastolic volume / BSA"), _unit("ml/m2"))
    ESV_INDEX = (own_code("esv-index", "End systolic volume / BSA"), _unit("ml/m2"))
    VOLUME = (codes.SCT.Volume, _unit("ml"))
    BODY_SURFACE = (Code("8277-6", "LN", "Body surface area"), _unit("m2"))
    HEART_RATE = (codes.LN.HeartRate, _unit("/min"))

    @property
    def code(self) -> Code:
        """What it is called."""
        return self.value[0]

    @property
    def unit(self) -> Code:
        """What it is counted in."""
        return self.value[1]
