"""From the runs of a cross-validation to a doubt model beside the weights, and its figures."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from engine.datasets.labelled import LabelledPatient
from engine.datasets.splits import split_patients
from engine.errors import ModelError
from engine.learning.checkpoint import Model, load_model
from engine.learning.doubt.collecting import Observed, Watcher, observe
from engine.learning.doubt.familiarity import SLICE_COUNTS, Cloud, Familiarity
from engine.learning.doubt.fitting import (
    GROUPS,
    Expected,
    SliceTable,
    cross_fit,
    deal,
    draw_distances,
    ejections_of,
    fit_clouds,
    fit_ef_spread,
    fit_head,
    fit_scale,
    fit_volume_spread,
    made_of,
    tabulate,
    volumes_of,
)
from engine.learning.doubt.measuring import (
    measure_intervals,
    measure_ordinary,
    measure_slices,
    summarise_intervals,
)
from engine.learning.doubt.model import DoubtModel, write_doubt
from engine.learning.doubt.strangers import Stranger, try_strangers
from engine.learning.model_scores import read_scores
from engine.learning.runtime import choose_device
from engine.learning.scorecard import write_scores
from engine.progress import Steps
from engine.structures import HEART_STRUCTURES, Structure

_FEWEST_DRAWS = 8  # stacks that make a scale for a number of slices
_LEARNING = "Learning what is ordinary"
_VENTRICLES = (Structure.LV, Structure.RV)

Sourced = Sequence[tuple[str, LabelledPatient]]


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    """What a network says about patients.

    Attributes:
        name: Of its folder.
        held_out: Stacks of the patients its training held out.
        turned: The same stacks, each turned and mirrored in some way.
        clouds: Of its training patients' stacks, turned likewise.
    """

    name: str
    held_out: list[Observed] = field(repr=False)
    turned: list[Observed] = field(repr=False)
    clouds: dict[str, Cloud] = field(repr=False)


def calibrate(
    runs: Sequence[Path],
    data: Sourced,
    out: Path,
    *,
    strangers: Sequence[Stranger] = (),
    device: str = "auto",
) -> Steps[dict[str, Any]]:
    """Make doubt.json and doubt.safetensors of a model folder, and measure how good they are.

    Every network looks at the patients its training held out; the head is fitted to them all.
    Every figure comes from a head, a spread and a limit fitted to other patients (groups of a
    tenth), so neither the network nor the doubt had seen the patient. The figures are also put
    into the folder's scores.json, as the section `doubt`.

    Args:
        runs: Model folders, each with other patients held out.
        data: Name of the data set and patient: all that the runs were trained and tested on.
        out: The model folder that is given the files; its network may be one of the runs'.
        strangers: Images of another kind; how many are flagged is measured, nothing is fitted
            to them.
        device: auto, cpu or cuda.

    Raises:
        ModelError: A run does not fit the data, a patient was held out twice, or there are too
            few patients.
    """
    place = choose_device(device)
    model = _load(out)
    found: list[_Run] = []
    own: dict[str, Cloud] | None = None
    for path in runs:
        run = _load(path)
        found.append((yield from _watch(run, data, place)))
        if run.hash == model.hash:
            own = found[-1].clouds
    _refuse_twice(found)
    if own is None:
        trained, _ = sides_of(model, data)
        steps = observe(model, trained, place, doing=_LEARNING, turned=True)
        own = fit_clouds((yield from steps))
    doubt, table, expected = _fit(found, own, model.hash)
    write_doubt(doubt, out)
    figures = _measure(found, table, expected)
    odd = yield from try_strangers(Watcher(model, place), doubt.familiarity, strangers)
    figures["unfamiliarity_of_others"] = odd
    write_scores({**read_scores(out), "doubt": doubt_section(figures)}, out)
    return figures


def _load(path: Path) -> Model:
    model = load_model(path)
    data = model.recipe.data
    if data.task != "short_axis" or data.sample != "slice":
        raise ModelError(
            f"Doubt is learned for models that see slices of the short axis, but {path} sees "
            f"{data.sample}s of the {data.task.replace('_', ' ')}.",
            hint="Give runs of a short-axis recipe whose data.sample is slice.",
        )
    return model


def _watch(model: Model, data: Sourced, device: torch.device) -> Steps[_Run]:
    trained, held_out = sides_of(model, data)
    name = model.entry.path.name
    seen = yield from observe(model, held_out, device, doing=f"Held out of {name}")
    doing = f"Held out of {name}, turned"
    turned = yield from observe(model, held_out, device, doing=doing, turned=True)
    ordinary = yield from observe(model, trained, device, doing=_LEARNING, turned=True)
    return _Run(name, seen, turned, fit_clouds(ordinary))


def sides_of(model: Model, data: Sourced) -> tuple[Sourced, Sourced]:
    """The patients a model was trained on, and those its training held out.

    `split.json` of the run tells; where there is none, the recipe's split of this very data,
    which is compared with the patients in `scores.json`.

    Raises:
        ModelError: Some are not in the data, or it is not the data the model was trained on.
    """
    folder = model.entry.path
    by_name = {patient.name: (source, patient) for source, patient in data}
    if (folder / "split.json").is_file():
        trained, held_out = _read_split(folder / "split.json")
    else:
        split = split_patients([patient for _, patient in data], model.recipe)
        trained, held_out = ([each.name for each in part] for part in (split.train, split.test))
        scored = {str(row["patient"]) for row in read_scores(folder).get("patients", [])}
        if scored and scored != set(held_out):
            raise ModelError(
                f"{folder} was trained on other data: it held out other patients than these.",
                hint="Give all folders it was trained on (--data), and no others.",
            )
    missing = [name for name in (*trained, *held_out) if name not in by_name]
    if missing:
        raise ModelError(
            f"{len(missing)} patients of {folder} are not in the data, among them {missing[0]}.",
            hint="Give all folders it was trained on (--data).",
        )
    return [by_name[name] for name in trained], [by_name[name] for name in held_out]


def _read_split(path: Path) -> tuple[list[str], list[str]]:
    """Names of the patients that were trained on and of those held out."""
    try:
        parts = json.loads(path.read_text(encoding="utf-8"))
        return [str(name) for name in parts["trained"]], [str(name) for name in parts["held_out"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"{path} is damaged: it does not tell who was trained on and held out.",
            hint="Give a run as `heartseg train` wrote it.",
        ) from error


def _refuse_twice(runs: Sequence[_Run]) -> None:
    names = [name for run in runs for name in {stack.patient for stack in run.held_out}]
    twice = next((name for name in names if names.count(name) > 1), "")
    if twice:
        raise ModelError(
            f"{twice} was held out by more than one run.",
            hint="Give one run for each fold of the same recipe and data.",
        )


def _fit(
    runs: Sequence[_Run], clouds: Mapping[str, Cloud], weights: str
) -> tuple[DoubtModel, SliceTable, Expected]:
    stacks = [stack for run in runs for stack in run.held_out]
    table = tabulate(stacks)
    names = {stack.patient for stack in stacks}
    expected = cross_fit(table, deal(names, groups=min(GROUPS, len(names))))
    volumes = {each: volumes_of(stacks, table, expected, each) for each in HEART_STRUCTURES}
    spreads = {each: fit_volume_spread(volumes[each]) for each in HEART_STRUCTURES}
    draws = [draw_distances(run.clouds, [*run.held_out, *run.turned]) for run in runs]
    pooled = {count: [pair for draw in draws for pair in draw[count]] for count in SLICE_COUNTS}
    scales = {
        count: fit_scale([distances for _, distances in pairs])
        for count, pairs in pooled.items()
        if len(pairs) >= _FEWEST_DRAWS
    }
    model = DoubtModel(
        fit_head(table, table.complete | ~table.complete),
        spreads,
        {each: fit_ef_spread(ejections_of(volumes[each]), spreads[each]) for each in _VENTRICLES},
        Familiarity(clouds, scales),
        weights,
        made_of(stacks, [run.name for run in runs]),
    )
    return model, table, expected


def _measure(runs: Sequence[_Run], table: SliceTable, expected: Expected) -> dict[str, Any]:
    stacks = [stack for run in runs for stack in run.held_out]
    names = {stack.patient for stack in stacks}
    # Other groups than those the expectations were made with, so that the two do not go together.
    group_of = deal(names, groups=min(GROUPS, len(names)), seed=1)
    figures: dict[str, Any] = {"patients": len(names), **measure_slices(table, expected)}
    for structure in _VENTRICLES:
        intervals = measure_intervals(stacks, table, expected, structure, group_of)
        name = structure.name.lower()
        figures[f"{name}_ef"] = summarise_intervals(intervals)
        for source in sorted({each.source for each in intervals}):
            part = [each for each in intervals if each.source == source]
            figures[f"{name}_ef_{source}"] = summarise_intervals(part)
    figures["unfamiliarity_of_held_out"] = measure_ordinary(
        [run.clouds for run in runs], [[*run.held_out, *run.turned] for run in runs], group_of
    )
    return figures


def doubt_section(figures: Mapping[str, Any]) -> dict[str, Any]:
    """The section `doubt` of scores.json, see `engine.learning.card_tables`."""
    first = figures["first_fifth"]
    flagged = [
        {"input": f"{title}{name}", "count": len(values), "flagged": sum(v > 1 for v in values)}
        for title, part in (
            ("held out: ", figures["unfamiliarity_of_held_out"]),
            ("", figures["unfamiliarity_of_others"]),
        )
        for name, values in part.items()
    ]
    section: dict[str, Any] = {
        "patients": figures["patients"],
        "missed_volume_in_first_fifth": first["missed"]["by_error"],
        "auroc_dice_below_80": figures["auroc_dice_below_80"],
        "expected_dice_error": figures["expected_dice_error"],
        "expected_error_ml_error": figures["expected_error_ml_error"],
        "flagged": flagged,
        "notes": _notes(first),
    }
    for name in ("lv", "rv"):
        section[f"{name}_ef_coverage"] = figures[f"{name}_ef"]["coverage"]
        section[f"{name}_ef_width_points"] = figures[f"{name}_ef"]["median_width_points"]
    return section


def _notes(first: Mapping[str, Mapping[str, float]]) -> list[str]:
    missed, gross = first["missed"], first["gross"]
    return [
        "Of the volume missed pixel by pixel, the 20 % of slices with the largest expected error "
        f"hold {100 * missed['by_error']:.0f} %; ordered by the truth itself they would hold "
        f"{100 * missed['ceiling']:.0f} %, for most of it lies thinly along all borders.",
        "Of the volume missed in structures whose Dice on a slice is below 0.8, the 20 % of "
        f"slices with the lowest expected Dice hold {100 * gross['by_dice']:.0f} %.",
        "Network, head, interval and limit were each fitted to other patients than those "
        "measured here.",
    ]
