"""Which phases are end diastole and end systole."""

from dataclasses import dataclass
from enum import StrEnum

from engine.clinical.volumes import VolumeCurve
from engine.errors import UnmeasurableError


class PhaseRule(StrEnum):
    """How end diastole and end systole were found."""

    LARGEST_AND_SMALLEST = "largest and smallest LV cavity"
    ATRIUM = "smallest and largest left atrium"
    BY_HAND = "by hand"
    SOURCE = "as the source states"
    ONLY_ONE = "only one labelled phase"
    NONE = "nothing measured"


@dataclass(frozen=True, slots=True)
class PhaseChoice:
    """End diastole and end systole, 0-based; the RV is measured in the same phases.

    One of them is None where only one phase is labelled, both where nothing was measured.
    """

    ed: int | None
    es: int | None
    rule: PhaseRule


def choose_phases(
    lv: VolumeCurve,
    *,
    atrium: VolumeCurve | None = None,
    ed_phase: int | None = None,
    es_phase: int | None = None,
    source: tuple[int | None, int | None] = (None, None),
) -> PhaseChoice:
    """Find the phases with the largest and the smallest LV cavity of the whole stack.

    SCMR 2020 (Schulz-Menger): one phase for all slices. Phases in which no LV is drawn are not
    candidates. Where no LV is drawn at all, the left atrium tells: it fills while the ventricles
    eject, so that it is smallest at end diastole and largest at end systole.

    Args:
        lv: Volume of the LV over the labelled phases.
        atrium: Volume of the left atrium, where it may stand in for the LV.
        ed_phase: End diastole chosen by hand.
        es_phase: End systole chosen by hand.
        source: What the source calls end diastole and end systole; used only to tell which of
            the two a single labelled phase is, and to name the rule when the hand agrees.

    Raises:
        UnmeasurableError: A phase chosen by hand has no LV, both are the same, or no phase has
            an LV at all.
    """
    volumes_ml, cavity, rule = _drawn(lv), "left ventricle", PhaseRule.LARGEST_AND_SMALLEST
    if not volumes_ml and atrium is not None:
        volumes_ml = {phase: -ml for phase, ml in _drawn(atrium).items()}  # the smallest is ED
        cavity, rule = "left atrium", PhaseRule.ATRIUM
    if not volumes_ml:
        raise UnmeasurableError(
            "There is no left ventricle in the labels, so nothing can be measured.",
            hint="Predict or draw the left ventricle at end diastole and end systole first.",
        )
    _check_choice(volumes_ml, ed_phase, es_phase, cavity)
    if len(volumes_ml) == 1:
        (phase,) = volumes_ml
        is_systole = es_phase == phase or (ed_phase is None and source[1] == phase != source[0])
        ed, es = (None, phase) if is_systole else (phase, None)
        return PhaseChoice(ed, es, PhaseRule.ONLY_ONE)
    by_hand = ed_phase is not None or es_phase is not None
    ed = ed_phase if ed_phase is not None else _extreme(volumes_ml, es_phase, largest=True)
    es = es_phase if es_phase is not None else _extreme(volumes_ml, ed, largest=False)
    if by_hand and (ed_phase, es_phase) == source:
        return PhaseChoice(ed, es, PhaseRule.SOURCE)
    return PhaseChoice(ed, es, PhaseRule.BY_HAND if by_hand else rule)


def _drawn(curve: VolumeCurve) -> dict[int, float]:
    """The volume in each phase that has any [ml]."""
    return {p: ml for p, ml in zip(curve.phases, curve.volumes_ml, strict=True) if ml > 0}


def _extreme(volumes_ml: dict[int, float], other: int | None, *, largest: bool) -> int:
    """The first phase with the largest or smallest volume, not being the `other` phase."""
    phases = [phase for phase in sorted(volumes_ml) if phase != other]
    best = max if largest else min
    return best(phases, key=lambda phase: volumes_ml[phase])


def _check_choice(
    volumes_ml: dict[int, float], ed_phase: int | None, es_phase: int | None, cavity: str
) -> None:
    for name, phase in (("end diastole", ed_phase), ("end systole", es_phase)):
        if phase is not None and phase not in volumes_ml:
            drawn = ", ".join(str(number + 1) for number in sorted(volumes_ml))
            raise UnmeasurableError(
                f"Phase {phase + 1} was chosen as {name}, but no {cavity} is drawn there.",
                hint=f"Choose one of the phases {drawn}, or predict that phase first.",
            )
    if ed_phase is not None and ed_phase == es_phase:
        raise UnmeasurableError(
            f"Phase {ed_phase + 1} was chosen as both end diastole and end systole.",
            hint="Choose two different phases, or none to have them found.",
        )
