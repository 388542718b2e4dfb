"""Trainings in words."""

from html import escape

from engine.learning.apart.run_list import RunState
from heartseg_gui.documents.training_runs import TrainingRun

_STATES = {
    RunState.QUEUED: "○ waits for the device",
    RunState.RUNNING: "▶ training",
    RunState.PAUSED: "❙❙ paused",
    RunState.STOPPED: "■ stopped, can go on",
    RunState.FAILED: "▲ failed",
    RunState.DONE: "● done",
    RunState.KEPT: "● stopped and kept",
}


def state_text(run: TrainingRun) -> str:
    """How a training goes, in a line."""
    said = _STATES[run.state]
    done = len(run.rows)
    total = run.order.recipe.training.epochs
    if run.state is RunState.RUNNING and not run.progress.doing.startswith("Epoch"):
        return f"▶ {run.progress.doing[:1].lower()}{run.progress.doing[1:]}"
    if run.rows and run.state is not RunState.QUEUED:
        return f"{said}, epoch {done} of {total}"
    return said


def duration(seconds: float) -> str:
    """A time span as people say it."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    if seconds < 48 * 3600:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 86400:.1f} days"


def memory(mb: float) -> str:
    """An amount of memory [MiB]."""
    return f"{mb:.0f} MiB" if mb < 1000 else f"{mb / 1024:.1f} GiB"


def facts_text(run: TrainingRun) -> str:
    """What the last epoch says, as rich text."""
    if not run.rows:
        return ""
    row = run.rows[-1]
    parts = [f"loss <b>{row['loss']:.3f}</b>" if row.get("loss") is not None else ""]
    for column, name in (("val_loss", "validation loss"), ("dice", "Dice"), ("val_dice", "val.")):
        value = row.get(column)
        parts.append("" if value is None else f"{name} <b>{value:.3f}</b>")
    rate, speed, room = (
        row.get(name) for name in ("learning_rate", "samples_per_second", "peak_memory_mb")
    )
    thing = f"{run.order.recipe.data.sample}s"
    parts += [
        "" if rate is None else f"learning rate {rate:.2g}",
        "" if speed is None else f"{speed:.1f} {thing}/s",
        "" if room is None else f"{memory(room)}",
        "" if run.seconds_left is None else f"<b>{duration(run.seconds_left)}</b> left",
    ]
    return " &nbsp;·&nbsp; ".join(filter(None, parts))


def trouble_text(run: TrainingRun) -> str:
    """Why a training failed, signs of a collapse, what was left out; rich text, blank for none."""
    lines = []
    if run.fault is not None:
        lines.append(f"<b>{escape(run.fault.what)}</b><br>{escape(run.fault.hint)}")
    last = len(run.rows)
    latest = [sign for sign in run.signs if sign["epoch"] == last]
    for sign in latest[:2]:
        early = " That is common in the first epochs." if sign.get("early") else ""
        causes = " ".join(sign.get("causes", ())[:2])
        lines.append(f"<b>{escape(sign['what'])}</b>{early} {escape(causes)}")
    if len(latest) > 2:
        lines.append(f"… and {len(latest) - 2} more signs of a collapse in this epoch.")
    lines += [escape(note) for note in run.notes[:3]]
    return "<br>".join(lines)
