"""The file beside the weights that knows where the model is wrong."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.doubt import EfSpread, PhaseDoubt
from engine.errors import ModelError
from engine.io.atomic_file import write_atomically
from engine.learning.checksums import check_content, write_checksums
from engine.learning.doubt.facts import FACTS
from engine.learning.doubt.familiarity import Cloud, Familiarity, Scale, familiar_values
from engine.learning.doubt.grey import GREY_FACTS
from engine.learning.doubt.trees import BoostedTrees, trees_from_json
from engine.structures import HEART_STRUCTURES, Structure

DOUBT = "doubt.json"
DEEP = "doubt.safetensors"
_FORMAT = 1
_LARGEST = 200_000_000  # bytes; more is no doubt
_ARRAYS = ("mean", "scale", "between", "within")
_MM_PER_CM = 10
_FEWEST_CM2 = 0.05  # of a structure that may be on a slice


@dataclass(frozen=True, slots=True)
class VolumeSpread:
    """SD of the volume of a structure: shares of what is expected to be wrong and of the volume.

    Attributes:
        of_error: Times the expected error of all slices.
        of_volume: Times the volume.
    """

    of_error: float
    of_volume: float

    def sd_ml(self, error_ml: float, volume_ml: float) -> float:
        """The SD [ml]."""
        return self.of_error * error_ml + self.of_volume * volume_ml


@dataclass(frozen=True, slots=True, eq=False)
class QualityHead:
    """Expected Dice and error of slices, from their facts.

    Attributes:
        dice: Mean Dice over the structures.
        errors: For each structure the area missed and added [cm^2].
    """

    dice: BoostedTrees
    errors: Mapping[Structure, BoostedTrees]

    def expect_dice(self, facts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Expected Dice of each slice, (z,); 1 where there is nothing far and wide."""
        most = [_most_cm2(facts, each) for each in HEART_STRUCTURES]
        nothing = np.max(most, axis=0) < _FEWEST_CM2
        return np.where(nothing, 1.0, self.dice.predict(facts).clip(0, 1))

    def expect_error_cm2(
        self, facts: NDArray[np.float64], structure: Structure
    ) -> NDArray[np.float64]:
        """Expected area missed and added of a structure on each slice, (z,) [cm^2].

        It is no more than what the slice has and what its fuller neighbour has: slices far from
        the heart, of which training stacks have few, have none.
        """
        expected = self.errors[structure].predict(facts)
        return expected.clip(0, _most_cm2(facts, structure))


def _most_cm2(facts: NDArray[np.float64], structure: Structure) -> NDArray[np.float64]:
    area, mass, thicker = (
        fact_column(facts, f"{structure.name.lower()}_{fact}")
        for fact in ("area_cm2", "mass_cm2", "thicker_cm2")
    )
    return area + np.maximum(mass, thicker)


def fact_column(facts: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    """One fact of every slice, (z,)."""
    column: NDArray[np.float64] = facts[:, FACTS.index(name)]
    return column


@dataclass(frozen=True, slots=True, eq=False)
class DoubtModel:
    """Knows where a model may be wrong, how much, and what it never saw.

    Attributes:
        head: Expected quality of slices.
        volumes: Spread of the volume of each structure.
        spread: For LV and RV, from volumes to the ejection fraction.
        familiarity: What ordinary stacks look like.
        weights: SHA-256 of the weight file it belongs to.
        made: How and from whom it was made, for the reader.
    """

    head: QualityHead
    volumes: Mapping[Structure, VolumeSpread]
    spread: Mapping[Structure, EfSpread]
    familiarity: Familiarity
    weights: str
    made: Mapping[str, Any] = field(default_factory=dict)

    def judge(
        self,
        facts: NDArray[np.float64],
        deep: NDArray[np.float64] | None,
        grey: NDArray[np.float64] | None = None,
    ) -> PhaseDoubt:
        """Judge a phase.

        Args:
            facts: (z, len(FACTS)), see `slice_facts`.
            deep: (z, f), see `Answer.deep`; None where the network gives none.
            grey: (z, len(GREY_FACTS)), see `grey_facts`; None where it was not measured.
        """
        thick_cm = fact_column(facts, "slice_mm") / _MM_PER_CM
        errors_ml = {
            structure: self.head.expect_error_cm2(facts, structure) * thick_cm
            for structure in HEART_STRUCTURES
        }
        sds_ml = {
            structure: self.volumes[structure].sd_ml(
                float(errors_ml[structure].sum()), phase_volume_ml(facts, structure)
            )
            for structure in HEART_STRUCTURES
        }
        return PhaseDoubt(
            self.head.expect_dice(facts),
            np.sum([errors_ml[structure] for structure in HEART_STRUCTURES], axis=0),
            sds_ml,
            self.familiarity.judge(familiar_values(facts, deep, grey)),
            self.spread,
        )


def phase_volume_ml(facts: NDArray[np.float64], structure: Structure) -> float:
    """Volume of a structure on all slices, as the network called it [ml]."""
    area = fact_column(facts, f"{structure.name.lower()}_area_cm2")
    return float((area * fact_column(facts, "slice_mm")).sum() / _MM_PER_CM)


def write_doubt(model: DoubtModel, folder: Path) -> None:
    """Write doubt.json and doubt.safetensors beside the weights, each at once.

    Raises:
        CannotSaveError: They cannot be written.
    """
    import torch

    from engine.learning.checkpoint import save_tensors

    tensors = {
        f"{kind}.{name}": torch.from_numpy(getattr(cloud, name).astype(np.float32))
        for kind, cloud in model.familiarity.clouds.items()
        for name in _ARRAYS
    }
    content = json.dumps(_as_json(model), allow_nan=False) + "\n"
    save_tensors(tensors, folder / DEEP)
    write_atomically(folder / DOUBT, content.encode())
    write_checksums(folder)


def _as_json(model: DoubtModel) -> dict[str, Any]:
    return {
        "format": _FORMAT,
        "weights": model.weights,
        "made": dict(model.made),
        "facts": list(FACTS),
        "grey_facts": list(GREY_FACTS),
        "dice": model.head.dice.as_json(),
        "errors": {_key(each): trees.as_json() for each, trees in model.head.errors.items()},
        "volumes": {_key(each): asdict(spread) for each, spread in model.volumes.items()},
        "spread": {_key(each): asdict(spread) for each, spread in model.spread.items()},
        "clouds": {
            kind: {"slices": cloud.slices, "shrink": cloud.shrink}
            for kind, cloud in model.familiarity.clouds.items()
        },
        "scales": {str(count): asdict(scale) for count, scale in model.familiarity.scales.items()},
    }


def _key(structure: Structure) -> str:
    return structure.name.lower()


def read_doubt(folder: Path, *, weights: str = "") -> DoubtModel | None:
    """What a model folder knows about its doubt; None where it knows nothing.

    Args:
        folder: Of the model.
        weights: SHA-256 of the weights that will be used; empty if any will do.

    Raises:
        ModelError: The files are damaged, changed, of another version, or belong to other
            weights.
    """
    path = folder / DOUBT
    if not path.is_file():
        return None
    try:
        content = json.loads(_read_checked(path))
        model = _from_json(content, _read_arrays(folder / DEEP))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _unusable(path, "is damaged") from error
    if weights and model.weights != weights:
        raise _unusable(path, "belongs to other weights")
    return model


def _unusable(path: Path, why: str) -> ModelError:
    return ModelError(
        f"{path} {why}, so the model cannot say where it may be wrong.",
        hint="Make it again with `heartseg calibrate`, or delete it.",
    )


def _read_checked(path: Path) -> bytes:
    if path.stat().st_size > _LARGEST:
        raise ValueError("too large")
    content = path.read_bytes()
    check_content(content, path)
    return content


def _read_arrays(path: Path) -> dict[str, NDArray[np.float64]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        tensors = load(_read_checked(path))
    except SafetensorError as error:
        raise ValueError(str(error)) from error
    return {name: array.astype(np.float64) for name, array in tensors.items()}


def _from_json(content: Mapping[str, Any], arrays: Mapping[str, NDArray[np.float64]]) -> DoubtModel:
    if content["format"] != _FORMAT or tuple(content["facts"]) != FACTS:
        raise ValueError("other facts")
    clouds = {}
    for kind, facts in content["clouds"].items():
        parts = [arrays[f"{kind}.{name}"] for name in _ARRAYS]
        size = len(parts[0])
        if [part.shape for part in parts] != [(size,), (size,), (size, size), (size, size)]:
            raise ValueError(f"{kind}: {[part.shape for part in parts]}")
        mean, scale, between, within = parts
        slices, shrink = float(facts["slices"]), float(facts["shrink"])
        clouds[kind] = Cloud(mean, scale, between, within, slices, shrink)
    scales = {int(count): _read_scale(scale, clouds) for count, scale in content["scales"].items()}
    if not scales or "facts" not in clouds:
        raise ValueError("no scale")
    errors, volumes, spread = content["errors"], content["volumes"], content["spread"]
    count = len(FACTS)
    return DoubtModel(
        QualityHead(
            trees_from_json(content["dice"], column_count=count),
            {
                each: trees_from_json(errors[_key(each)], column_count=count)
                for each in HEART_STRUCTURES
            },
        ),
        {each: VolumeSpread(**_numbers(volumes[_key(each)])) for each in HEART_STRUCTURES},
        {each: EfSpread(**_numbers(spread[_key(each)])) for each in (Structure.LV, Structure.RV)},
        Familiarity(clouds, scales),
        str(content["weights"]),
        dict(content["made"]),
    )


def _numbers(content: Mapping[str, Any]) -> dict[str, float]:
    numbers = {name: float(value) for name, value in content.items()}
    if not np.isfinite(list(numbers.values())).all():
        raise ValueError("not finite")
    return numbers


def _read_scale(content: Mapping[str, Any], clouds: Mapping[str, Cloud]) -> Scale:
    middles, widths, limits = (_numbers(content[part]) for part in ("middles", "widths", "limits"))
    kinds = sorted(clouds)
    wanted = {
        "+".join(chosen)
        for size in range(1, len(kinds) + 1)
        for chosen in combinations(kinds, size)
    }
    whole = set(middles) == set(widths) == set(clouds) and wanted <= set(limits)
    if not whole or min(*widths.values(), *limits.values()) <= 0:
        raise ValueError("a scale lacks something")
    return Scale(middles, widths, limits)
