"""The command evaluate: label maps against reference ones."""

from pathlib import Path
from typing import Annotated, Any

import typer

from engine.cli.console import drive, say, say_note, write_json


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(epilog="Example: heartseg evaluate predicted reference --out scores.json")(evaluate)


def evaluate(
    predicted: Annotated[Path, typer.Argument(help="Label file, or a folder of label files.")],
    reference: Annotated[Path, typer.Argument(help="The same for the reference.")],
    out: Annotated[Path, typer.Option("--out", help="JSON file to write.")],
    before: Annotated[
        Path | None,
        typer.Option(
            "--before", help="The same before it was corrected; tells what the correction changed."
        ),
    ] = None,
) -> None:
    """Compare label maps: overlap, surface distances and volumes, per structure and phase."""
    from engine.cli.pairing import pair_before, pair_files, read_label_map
    from engine.labelmap import structures_in
    from engine.scoring.comparison import compare_correction
    from engine.scoring.confusion import Confusion
    from engine.scoring.evaluation import (
        class_names,
        classes_compared,
        compare_labels,
        confusion_of,
    )
    from engine.structures import Structure, classes_of

    pairs, left_over = pair_files(predicted, reference)
    earlier = {} if before is None else pair_before(before, pairs)
    results: dict[str, Any] = {}
    corrections: dict[str, Any] = {}
    pooled, held = Confusion.empty(len(Structure)), set[Structure]()
    for name, (ours, theirs) in pairs.items():
        reference_map = drive(read_label_map(theirs))
        predicted_map = drive(read_label_map(ours, like=reference_map))
        confusion = confusion_of(predicted_map, reference_map)
        pooled += confusion
        results[name] = compare_labels(predicted_map, reference_map)
        classes = classes_compared(predicted_map, reference_map)
        held.update(structures_in(predicted_map.voxels), structures_in(reference_map.voxels))
        results[name]["pooled"] = confusion.of(classes).as_json(class_names(classes))
        if name in earlier:
            before_map = drive(read_label_map(earlier[name], like=reference_map))
            corrections[name] = compare_correction(before_map, predicted_map, reference_map)
    content = {
        "pairs": results,
        "unpaired": left_over,
        "mean_dice": _mean([result["mean_dice"] for result in results.values()]),
        "pooled": pooled.of(classes_of(held)).as_json(class_names(classes_of(held))),
    }
    if before is not None:
        content["corrections"] = corrections
        content["without_before"] = sorted(pairs.keys() - earlier.keys())
    write_json(content, out)
    _tell(content, out)


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _tell(content: dict[str, Any], out: Path) -> None:
    for name in content["unpaired"]:
        say_note(f"Note: {name} has no partner and was left out.")
    for name, result in content["pairs"].items():
        if result["not_predicted"]:
            phases = ", ".join(str(phase + 1) for phase in result["not_predicted"])
            say_note(f"Note: {name} predicts nothing in phase {phases}; not compared there.")
    for name in content.get("without_before", []):
        say_note(f"Note: {name} has no label map from before its correction.")
    mean = content["mean_dice"]
    shown = "-" if mean is None else f"{mean:.3f}"
    say(f"Compared {len(content['pairs'])} label maps, mean Dice {shown}")
    corrections = content.get("corrections", {})
    if corrections:
        changed = sum(len(row["changed_slices"]) for row in corrections.values())
        earlier = _mean([row["mean_dice"]["before"] for row in corrections.values()])
        later = _mean([row["mean_dice"]["after"] for row in corrections.values()])
        dice = "" if earlier is None or later is None else f", Dice {earlier:.3f} to {later:.3f}"
        say(f"Corrected {len(corrections)} label maps on {changed} slices{dice}")
    say(f"Wrote {out}")
