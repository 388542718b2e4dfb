"""How far a model trusts what it predicted: slices, volumes and ejection fractions.

What is here is plain numbers, so that whoever stores, edits or reports labels can hold it without
knowing how a model came by it (`engine.learning.doubt`).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, astuple, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.structures import Structure

UNFAMILIAR = (
    "These images look unlike those the model learned from; its labels may be wrong everywhere."
)
"""What a reader is told of a study whose mean unfamiliarity exceeds 1."""


@dataclass(frozen=True, slots=True)
class EfSpread:
    """How volume errors become an interval of the ejection fraction of one ventricle.

    Attributes:
        correlation: Of the errors of the end-diastolic and the end-systolic volume.
        shift: Middle of the interval beyond the measured EF, in SD of the EF: what the model's
            mean error was on patients it was not trained on.
        factor: Half width of the interval in SD of the EF.
    """

    correlation: float
    shift: float
    factor: float


@dataclass(frozen=True, slots=True, eq=False)
class PhaseDoubt:
    """What is thought of the prediction of one phase.

    Attributes:
        expected_dice: (z,) the Dice that a reader would find, mean over the structures.
        expected_error_ml: (z,) volume missed and added, summed over the structures [ml].
        volume_sd_ml: SD of the volume of each structure [ml].
        unfamiliarity: How unlike the images are those the model learned from; 1 is the limit
            that about 1 in 40 ordinary stacks exceed.
        spread: For each ventricle, see `EfSpread`.
    """

    expected_dice: NDArray[np.float64] = field(repr=False)
    expected_error_ml: NDArray[np.float64] = field(repr=False)
    volume_sd_ml: Mapping[Structure, float]
    unfamiliarity: float
    spread: Mapping[Structure, EfSpread] = field(repr=False)

    def upside_down(self) -> "PhaseDoubt":
        """The same for the stack with its slices in the other order."""
        return replace(
            self,
            expected_dice=self.expected_dice[::-1],
            expected_error_ml=self.expected_error_ml[::-1],
        )

    def without(self, slices: Collection[int]) -> "PhaseDoubt":
        """What is left when a person has seen to some slices, 0-based.

        Their expected errors are gone. The SD of each volume shrinks by the share of the expected
        error that they held; that share was not calibrated.
        """
        if not slices:
            return self
        seen = np.isin(np.arange(len(self.expected_error_ml)), list(slices))
        whole = float(self.expected_error_ml.sum())
        errors = np.where(seen, 0.0, self.expected_error_ml)
        left = float(errors.sum()) / whole if whole > 0 else float(not seen.all())
        return replace(
            self,
            expected_dice=np.where(seen, 1.0, self.expected_dice),
            expected_error_ml=errors,
            volume_sd_ml={each: left * sd for each, sd in self.volume_sd_ml.items()},
        )

    def as_json(self) -> dict[str, Any]:
        """Plain dictionaries and lists; structures by name."""
        return {
            "expected_dice": [float(value) for value in self.expected_dice],
            "expected_error_ml": [float(value) for value in self.expected_error_ml],
            "volume_sd_ml": {s.name.lower(): float(sd) for s, sd in self.volume_sd_ml.items()},
            "unfamiliarity": float(self.unfamiliarity),
            "spread": {s.name.lower(): asdict(spread) for s, spread in self.spread.items()},
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "PhaseDoubt":
        """Read what `as_json` wrote.

        Raises:
            KeyError, TypeError, ValueError: It is something else.
        """
        numbers = {
            name: np.asarray(content[name], np.float64)
            for name in ("expected_dice", "expected_error_ml")
        }
        sds = {Structure[name.upper()]: float(sd) for name, sd in content["volume_sd_ml"].items()}
        spread = {
            Structure[name.upper()]: EfSpread(**{key: float(v) for key, v in each.items()})
            for name, each in content["spread"].items()
        }
        unfamiliarity = float(content["unfamiliarity"])
        single = [unfamiliarity, *sds.values(), *(v for s in spread.values() for v in astuple(s))]
        if numbers["expected_dice"].shape != numbers["expected_error_ml"].shape or not all(
            np.isfinite(values).all() for values in (*numbers.values(), np.array(single))
        ):
            raise ValueError("not the doubt of a phase")
        return cls(**numbers, volume_sd_ml=sds, unfamiliarity=unfamiliarity, spread=spread)

    @property
    def unfamiliar(self) -> bool:
        """Whether the images are probably of another kind than those the model learned from."""
        return self.unfamiliarity > 1


def mean_unfamiliarity(doubts: Iterable[PhaseDoubt]) -> float:
    """The unfamiliarity of a study: the mean over its phases; 0 without any."""
    values = [doubt.unfamiliarity for doubt in doubts]
    return float(np.mean(values)) if values else 0.0


def warn_of_unfamiliar(doubts: Iterable[PhaseDoubt]) -> list[str]:
    """`UNFAMILIAR` where it is to be said of the predicted phases of a study, else nothing."""
    return [UNFAMILIAR] if mean_unfamiliarity(doubts) > 1 else []


def ef_sd_percent(
    ed: PhaseDoubt, es: PhaseDoubt, edv_ml: float, esv_ml: float, structure: Structure
) -> float:
    """SD of the ejection fraction [percentage points] by first-order propagation of error.

    With EF = 1 - ESV / EDV: var(EF) = (ESV / EDV^2)^2 var(EDV) + var(ESV) / EDV^2
    - 2 r (ESV / EDV^3) sd(EDV) sd(ESV) (JCGM 100:2008, equation 13).

    Args:
        ed: Doubt of end-diastole.
        es: Doubt of end-systole.
        edv_ml: End-diastolic volume [ml], more than 0.
        esv_ml: End-systolic volume [ml].
        structure: LV or RV.
    """
    by_ed = esv_ml / edv_ml**2 * ed.volume_sd_ml[structure]
    by_es = es.volume_sd_ml[structure] / edv_ml
    shared = 2 * ed.spread[structure].correlation * by_ed * by_es
    return 100 * float(np.sqrt(max(by_ed**2 + by_es**2 - shared, 0.0)))


def ef_interval(
    ed: PhaseDoubt, es: PhaseDoubt, edv_ml: float, esv_ml: float, structure: Structure
) -> tuple[float, float]:
    """The 90 % interval of an ejection fraction [%], 0 to 100.

    Split-conformal (Lei et al. 2018): the SD by `ef_sd_percent`, scaled and shifted so that 90 %
    of the patients the model was not trained on lie inside. Where the model's volumes were
    biased on them, the interval lies to one side of the measured value; it need not hold it.

    Args:
        ed: Doubt of end-diastole.
        es: Doubt of end-systole.
        edv_ml: End-diastolic volume [ml]; the whole range is given where it is not above 0.
        esv_ml: End-systolic volume [ml].
        structure: LV or RV.
    """
    if edv_ml <= 0:
        return 0.0, 100.0
    measured = 100 * (1 - esv_ml / edv_ml)
    sd, spread = ef_sd_percent(ed, es, edv_ml, esv_ml, structure), ed.spread[structure]
    low, high = (
        float(np.clip(measured + sd * (spread.shift + side * spread.factor), 0, 100))
        for side in (-1, 1)
    )
    return low, high
