"""The choices behind the numbers: one object, printed by every report and compared by it.

Two hearts may only be set side by side where the same choices were made: whether papillary
muscles count as muscle changes EDV by a quarter in some patients (peer-reviewed reference tables
mix both).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any

from engine.clinical.basal import BasalRule
from engine.clinical.body import BodySurfaceFormula
from engine.clinical.phases import PhaseRule
from engine.clinical.volumes import EndSlices
from engine.errors import ConventionMismatchError, HeartSegError
from engine.structures import MYOCARDIUM_G_PER_ML


@dataclass(frozen=True, slots=True)
class Convention:
    """One choice: a key for programs, a sentence for people."""

    key: str
    text: str


class PapillaryRule(StrEnum):
    """What the labels count papillary muscles and trabeculae as."""

    CAVITY = "cavity"
    MASS = "mass"


class SliceDistance(StrEnum):
    """Where the distance of the slices comes from."""

    POSITIONS = "slice positions"
    """From the positions of the slices in the patient (DICOM)."""

    FILE = "image file"
    """From the affine or spacing of the image file, which may be nominal."""

    UNKNOWN = "unknown"


class RvPhases(StrEnum):
    """In which phases the right ventricle is measured."""

    AS_LV = "as LV"
    OWN = "own"


class MassPhase(StrEnum):
    """In which phase *the* LV mass is taken."""

    ED = "ED"
    ES = "ES"


class Quantity(StrEnum):
    """What a choice changes, and so what may not be compared where it differs."""

    LV_VOLUMES = "LV volumes"
    RV_VOLUMES = "RV volumes"
    MASS = "LV mass"
    INDICES = "indices per m² of body surface"


@dataclass(frozen=True, slots=True)
class Conventions:
    """How volumes, masses and indices were made; equal conventions, comparable numbers.

    Attributes:
        papillary: What the labels count papillary muscles as. It is a statement about the labels:
            nothing is recomputed.
        basal: Which slices at the base count.
        end_slices: How high the first and the last disc are.
        body_surface: The formula of the body surface.
        rv_phases: Whether the RV has phases of its own.
        mass_phase: In which phase the mass is taken.
        density_g_per_ml: Of the myocardium.
        ef_digits: Decimal places of a printed ejection fraction, 0 or 1.
        slice_distance: Where the distance of slices came from; found out, not chosen.
        phases: How ED and ES were found; found out, not chosen.
    """

    papillary: PapillaryRule = PapillaryRule.CAVITY
    basal: BasalRule = BasalRule.READER
    end_slices: EndSlices = EndSlices.WHOLE
    body_surface: BodySurfaceFormula = BodySurfaceFormula.MOSTELLER
    rv_phases: RvPhases = RvPhases.AS_LV
    mass_phase: MassPhase = MassPhase.ED
    density_g_per_ml: float = MYOCARDIUM_G_PER_ML
    ef_digits: int = 0
    slice_distance: SliceDistance = SliceDistance.UNKNOWN
    phases: PhaseRule = PhaseRule.NONE

    def __post_init__(self) -> None:
        if not 0.9 <= self.density_g_per_ml <= 1.2:
            raise _bad_choice("density_g_per_ml", self.density_g_per_ml, "0.9 to 1.2 g/ml")
        if self.ef_digits not in (0, 1):
            raise _bad_choice("ef_digits", self.ef_digits, "0 or 1")

    def found(self, phases: PhaseRule, slice_distance: SliceDistance) -> "Conventions":
        """The same with what only the study can tell."""
        return replace(self, phases=phases, slice_distance=slice_distance)

    @property
    def chosen(self) -> "Conventions":
        """The same without what only the study can tell: what a person has chosen."""
        return self.found(PhaseRule.NONE, SliceDistance.UNKNOWN)

    @property
    def told(self) -> str:
        """How they differ from the usual ones, in a few words: `basal rule half`."""
        usual = Conventions().as_facts()
        facts = {**self.as_facts(), **{name: usual[name] for name in _FOUND}}
        told = [f"{_NAMES[name]} {facts[name]}" for name in facts if facts[name] != usual[name]]
        return ", ".join(told) or "the usual"

    def as_text(self) -> str:
        """What a person has chosen, for one cell of a table: `papillary=cavity; basal=half`."""
        facts = self.as_facts()
        return "; ".join(f"{name}={facts[name]}" for name in facts if name not in _FOUND)

    @classmethod
    def from_text(cls, text: str) -> "Conventions":
        """From the text of `as_text`.

        Raises:
            HeartSegError: It is none.
        """
        return cls.parse(part for part in text.split(";") if part.strip())

    def as_facts(self) -> dict[str, str | float | int]:
        """For files: every choice by its name."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {k: str(v) if isinstance(v, StrEnum) else v for k, v in values.items()}

    @classmethod
    def parse(cls, texts: Iterable[str]) -> "Conventions":
        """The conventions that a person names: `basal=half`, one text for each choice.

        Raises:
            HeartSegError: A text is no `name=value`, or its name or value is unknown.
        """
        facts = {}
        for text in texts:
            name, sign, value = text.partition("=")
            if not sign:
                raise HeartSegError(
                    f"“{text}” is no convention.", hint="Give a name and a value: basal=half."
                )
            facts[name.strip()] = value.strip()
        return cls.from_facts(facts)

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> "Conventions":
        """The conventions that a file or a person names; what is not named is as usual.

        Args:
            facts: Choices by name, as `as_facts` gives them.

        Raises:
            HeartSegError: A name or a value is unknown.
        """
        kinds = {each.name: type(each.default) for each in fields(cls)}
        for name in facts:
            if name not in kinds:
                raise HeartSegError(
                    f"There is no convention “{name}”.", hint=f"There are: {', '.join(kinds)}."
                )
        return cls(**{name: _parse(name, value, kinds[name]) for name, value in facts.items()})


def _parse(name: str, value: Any, kind: type) -> Any:
    """A value of a convention as its type.

    Raises:
        HeartSegError: It is none.
    """
    try:
        return kind(value)
    except (ValueError, TypeError):
        values = [str(each) for each in kind] if issubclass(kind, StrEnum) else ["a number"]
        raise _bad_choice(name, value, " or ".join(f"“{each}”" for each in values)) from None


def _bad_choice(name: str, value: object, allowed: str) -> HeartSegError:
    return HeartSegError(
        f"The convention {name} cannot be “{value}”.", hint=f"It must be {allowed}."
    )


_TOUCHED: dict[str, tuple[Quantity, ...]] = {
    "papillary": (Quantity.LV_VOLUMES, Quantity.MASS),
    "basal": (Quantity.LV_VOLUMES, Quantity.MASS),
    "end_slices": (Quantity.LV_VOLUMES, Quantity.RV_VOLUMES, Quantity.MASS),
    "body_surface": (Quantity.INDICES,),
    "rv_phases": (Quantity.RV_VOLUMES,),
    "mass_phase": (Quantity.MASS,),
    "density_g_per_ml": (Quantity.MASS,),
}
"""What each choice changes. How phases were found, where the distance of slices came from and how
an ejection fraction is rounded are told, but forbid no comparison."""

_NAMES = {
    "papillary": "papillary muscles",
    "basal": "basal rule",
    "end_slices": "height of the end slices",
    "body_surface": "formula of the body surface",
    "rv_phases": "phases of the RV",
    "mass_phase": "phase of the LV mass",
    "density_g_per_ml": "density of the myocardium",
    "ef_digits": "decimal places of the EF",
}
_FOUND = ("slice_distance", "phases")
"""Facts of a study, which nobody chooses."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One choice in which two sets of numbers differ.

    Attributes:
        key: Its name in `Conventions`.
        first: The choice behind the first numbers.
        second: The choice behind the second.
        spoils: What may not be compared because of it.
    """

    key: str
    first: str
    second: str
    spoils: tuple[Quantity, ...]

    @property
    def text(self) -> str:
        """In words: `papillary muscles: cavity here, mass there`."""
        return f"{_NAMES[self.key]}: {self.first} here, {self.second} there"

    @property
    def told_of_second(self) -> str:
        """In words, if only the second numbers are spoken of: `basal rule: reader, not half`."""
        return f"{_NAMES[self.key]}: {self.second}, not {self.first}"


def mismatches(
    first: Conventions, second: Conventions, quantities: Iterable[Quantity] = tuple(Quantity)
) -> tuple[Mismatch, ...]:
    """The choices that forbid to compare some quantities.

    Args:
        first: Behind the first numbers.
        second: Behind the second.
        quantities: Which are to be compared.
    """
    wanted = set(quantities)
    return tuple(
        Mismatch(key, str(getattr(first, key)), str(getattr(second, key)), touched)
        for key, touched in _TOUCHED.items()
        if wanted & set(touched) and getattr(first, key) != getattr(second, key)
    )


def require_same(
    first: Conventions, second: Conventions, quantities: Iterable[Quantity] = tuple(Quantity)
) -> None:
    """Refuse to set numbers side by side that were made in different ways.

    See `mismatches` for the arguments.

    Raises:
        ConventionMismatchError: They differ in a choice that changes one of the quantities.
    """
    found = mismatches(first, second, quantities)
    if found:
        spoilt = ", ".join(dict.fromkeys(str(each) for one in found for each in one.spoils))
        raise ConventionMismatchError(
            f"These numbers cannot be compared: {'; '.join(each.text for each in found)}.",
            hint=f"It changes the {spoilt}. Measure one of the two again by the other's "
            "conventions.",
        )


_PAPILLARY = {
    PapillaryRule.CAVITY: "Papillary muscles and trabeculae belong to the cavity, not to the mass "
    "(as the labels are drawn; ACDC).",
    PapillaryRule.MASS: "Papillary muscles and trabeculae belong to the mass, not to the cavity "
    "(as the labels are drawn).",
}
_BASAL = {
    BasalRule.READER: "Basal slices count as drawn, unless a reader left them out.",
    BasalRule.HALF: "A basal slice counts where myocardium covers at least 50 % of the border of "
    "the LV cavity; others are left out with their myocardium.",
    BasalRule.FULL: "A basal slice counts where myocardium encloses the LV cavity wholly; others "
    "are left out with their myocardium.",
}
_ENDS = {
    EndSlices.WHOLE: "the first and the last slice count in full.",
    EndSlices.HALF_GAP: "the first and the last slice count without the half gap beyond them.",
}
_DISTANCE = {
    SliceDistance.POSITIONS: "taken from the positions of the slices",
    SliceDistance.FILE: "taken from the image file",
    SliceDistance.UNKNOWN: "of unknown source",
}
_PHASES = {
    PhaseRule.LARGEST_AND_SMALLEST: "ED and ES are the phases with the largest and the smallest "
    "LV cavity of the whole stack, among the labelled phases.",
    PhaseRule.ATRIUM: "ED and ES are the phases with the smallest and the largest left atrium, as "
    "no ventricle is drawn.",
    PhaseRule.BY_HAND: "ED and ES were chosen by hand.",
    PhaseRule.SOURCE: "ED and ES are the phases that the source of the images names.",
    PhaseRule.ONLY_ONE: "Only one phase is labelled, so ED and ES were not searched for.",
    PhaseRule.NONE: "Nothing was measured, so there are no ED and ES.",
}
_RV_PHASES = {
    RvPhases.AS_LV: "The RV is measured in the phases of the LV.",
    RvPhases.OWN: "The RV is measured in the phases of its own largest and smallest cavity.",
}
_DOUBT = (
    "Ranges of the ejection fraction: the interval in which the model expects a reader's value in "
    "9 of 10 patients, measured on patients it was not trained on. Slices that a person corrected "
    "count as right, which was not measured."
)


ATRIUM_CONVENTIONS = ("volume", "slice_distance", "phases", "bsa", "counting")
"""Keys of the conventions that concern a left atrium; the others speak of ventricles."""


def make_conventions(
    rule: PhaseRule | None = None, *, doubt: bool = False, chosen: Conventions | None = None
) -> tuple[Convention, ...]:
    """The ledger of a report: a sentence for each choice.

    Args:
        rule: How its phases were chosen, if `chosen` does not say it.
        doubt: Whether it gives ranges of the ejection fraction.
        chosen: The conventions; the usual ones where None.
    """
    made = chosen or Conventions(phases=rule or PhaseRule.NONE)
    digits = "whole per cent" if made.ef_digits == 0 else "one decimal place"
    return (
        Convention("volume", "Volumes by slice summation: areas x distance between slice centres."),
        Convention(
            "slice_distance",
            "The distance is measured from slice centre to slice centre, gap included "
            f"({_DISTANCE[made.slice_distance]}); {_ENDS[made.end_slices]}",
        ),
        Convention("papillary_muscles", _PAPILLARY[made.papillary]),
        Convention("basal_slices", _BASAL[made.basal]),
        Convention("phases", _PHASES[made.phases]),
        Convention("rv_phases", _RV_PHASES[made.rv_phases]),
        Convention("mass", f"LV mass at {made.mass_phase}, {made.density_g_per_ml:g} g/ml."),
        Convention("bsa", f"Body surface by {made.body_surface.text}."),
        Convention("rounding", f"Ejection fractions are printed in {digits}, kept unrounded."),
        *([Convention("ef_range", _DOUBT)] if doubt else []),
        Convention("counting", "Files count phases and slices from 0, printed pages from 1."),
    )
