"""Studies, stacks and labels as commands ask for them."""

from pathlib import Path

from engine.cli.console import drive
from engine.errors import HeartSegError, UnmeasurableError
from engine.study import Origin, Stack, StoredLabels, Study


def open_study(path: Path) -> Study:
    """Read whatever a path holds, with a progress bar."""
    from engine.io.study_folder import read_study

    return drive(read_study(path))


def stack_of(study: Study, number: int) -> Stack:
    """The stack of a number, 1 is the best.

    Raises:
        UnmeasurableError: The study has none, or this one cannot be used.
        HeartSegError: There is no such number.
    """
    if not study.stacks:
        raise UnmeasurableError(
            f"{study.folder} holds no stack of parallel slices.",
            hint="`heartseg info` lists what it holds; a short-axis stack is needed.",
        )
    if number > len(study.stacks):
        raise HeartSegError(
            f"There is no stack {number}; the study has {len(study.stacks)}.",
            hint="`heartseg info` lists them; 1 is the best.",
        )
    chosen = study.stacks[number - 1]
    for problem in chosen.problems:
        if problem.blocking:
            raise UnmeasurableError(f"{problem.what} ({problem.where})", hint=problem.hint)
    return chosen


def labels_of(study: Study, stack: Stack, index: int, path: Path | None) -> StoredLabels:
    """The labels in a file; without one those that lie in the study, our own before others.

    Args:
        study: As it was opened.
        stack: What the labels belong to.
        index: Its number, from 0.
        path: Of a label file.

    Raises:
        UnmeasurableError: There are none, or they cannot be used.
    """
    from engine.io.label_store import load_labels

    if path is not None:
        return drive(load_labels(path, stack, index=index))
    for problem in study.unusable_labels:  # or others would be measured in their place, unsaid
        raise UnmeasurableError(
            f"{problem.what} ({problem.where})",
            hint=f"{problem.hint} Or name the labels to measure with --labels.",
        )
    found = [labels for labels in study.labels if labels.stack == index]
    own = [labels for labels in found if labels.provenance.origin is not Origin.REFERENCE]
    if not found:
        raise UnmeasurableError(
            f"{study.folder} holds no labels for this stack.",
            hint="Run `heartseg predict` first, or name a label file with --labels.",
        )
    return (own or found)[0]
