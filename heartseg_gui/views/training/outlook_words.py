"""What a training would be, in words."""

from html import escape

from engine.learning.apart.outlook import Estimate, Outlook
from engine.recipe import Recipe
from heartseg_gui.views.training.class_colours import class_title
from heartseg_gui.views.training.run_words import duration, memory

_TIGHT = 0.9  # of the free memory: more is told as a warning


def devices_text(outlook: Outlook) -> str:
    """What there is to train on, and why not, as rich text."""
    return "<br>".join(
        f"{'●' if device.usable else '○'} <b>{escape(device.title)}</b>: "
        f"{'' if device.usable else 'cannot be used, '}{escape(device.said)}"
        for device in outlook.devices
    )


def parts_text(outlook: Outlook, recipe: Recipe) -> str:
    """Patients and samples, as rich text."""
    thing = f"{recipe.data.sample}s"
    return "<br>".join(
        f"{part.name}: <b>{part.patients}</b> {_patients(part.patients)}"
        + (f", <b>{part.samples}</b> {thing}" if part.samples else "")
        for part in outlook.parts
    )


def estimate_text(estimate: Estimate) -> str:
    """Time and memory, as rich text."""
    whole = duration(estimate.epoch_seconds * estimate.epochs)
    lines = [
        f"On {escape(estimate.device)}: about <b>{duration(estimate.epoch_seconds)}</b> an epoch, "
        f"<b>{whole}</b> for {estimate.epochs} epochs",
    ]
    if estimate.peak_mb is not None:
        room = "" if estimate.free_mb is None else f" of {memory(estimate.free_mb)}"
        lines.append(f"Memory: about <b>{memory(estimate.peak_mb)}</b>{room}")
        if estimate.free_mb is not None and estimate.peak_mb > _TIGHT * estimate.free_mb:
            lines.append("<b>▲ That is close to all there is: make training.batch smaller.</b>")
    lines.append(f"Network: {estimate.parameters:,} parameters")
    return "<br>".join(lines)


def warnings_text(outlook: Outlook) -> str:
    """What is wrong with the data or the recipe, as rich text; blank for nothing."""
    lines = []
    if outlook.fault is not None:
        lines.append(f"<b>{escape(outlook.fault.what)}</b><br>{escape(outlook.fault.hint)}")
    if outlook.absent:
        names = " or ".join(class_title(name) for name in outlook.absent)
        lines.append(
            f"<b>No training image has {escape(names)}</b>, so it will never be found. "
            "Are the labels numbered otherwise?"
        )
    lines += [escape(note) for note in outlook.notes[:4]]
    if len(outlook.notes) > 4:
        lines.append(f"… and {len(outlook.notes) - 4} more.")
    return "<br>".join(lines)


def _patients(count: int) -> str:
    return "patient" if count == 1 else "patients"
