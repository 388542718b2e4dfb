"""Tables of a model card, from the sections of `scores.json` that `model_scores` describes.

`doubt` is a section of its own: `patients` (held-out ones that it was measured on), `notes`,
`commands`, and any of the numbers in `DOUBT_ROWS`; `flagged` lists inputs that are no short-axis
cine, and held-out patients to compare with: each has `input`, `count` and `flagged`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from engine.learning.model_scores import Section, number_of, section_of

STRUCTURES = ("lv", "myocardium", "rv")
DOUBT_ROWS = {
    "missed_volume_in_first_fifth": "Missed volume in the 20 % of slices it doubts most",
    "auroc_dice_below_80": "AUROC for slices of Dice below 0.8",
    "expected_dice_error": "Expected slice Dice, mean absolute error",
    "expected_error_ml_error": "Expected error of a slice, mean absolute error [ml]",
    "lv_ef_coverage": "Patients whose expert LV EF lies in the 90 % interval",
    "rv_ef_coverage": "Patients whose expert RV EF lies in the 90 % interval",
    "lv_ef_width_points": "Width of the LV EF interval, median [points]",
    "rv_ef_width_points": "Width of the RV EF interval, median [points]",
    "extra_time": "More time than without",
}
"""What `doubt` may hold, and how the card calls it."""
_SHARES = frozenset(
    {"missed_volume_in_first_fifth", "lv_ef_coverage", "rv_ef_coverage", "extra_time"}
)
_EF_ROWS = {"lv": "LV EF", "rv": "RV EF", "cavity": "LV EF, cavity alone labelled"}


def score_parts(section: Section) -> list[str]:
    """Paragraphs and tables of a score section, Markdown; what is missing is left out."""
    return [
        *_sentences(section.get("notes")),
        *_dice_parts(section_of(section, "dice")),
        *_mean_part(section),
        *_ef_part(section),
        *_volume_part(section.get("volumes")),
        *command_parts(section),
    ]


def _dice_parts(dice: Mapping[str, Any]) -> list[str]:
    if not dice:
        return []
    heart = all(name.rpartition(" ")[2] in STRUCTURES for name in dice)
    return ["\n".join(_heart_table(dice) if heart else _class_table(dice))]


def _heart_table(dice: Mapping[str, Any]) -> list[str]:
    """A row for each phase, a column for each structure."""
    lines = ["| Dice | LV | myocardium | RV |", "|---|--:|--:|--:|"]
    for phase in sorted({name.rpartition(" ")[0] for name in dice}, key=_phase_order):
        cells = (_cell(dice, f"{phase} {structure}".strip()) for structure in STRUCTURES)
        lines.append(f"| {phase or 'all'} | {' | '.join(cells)} |")
    return lines


def _phase_order(phase: str) -> tuple[int, str]:
    order = ("ED", "ES")
    return (order.index(phase) if phase in order else len(order), phase)


def _class_table(dice: Mapping[str, Any]) -> list[str]:
    return [
        "| | Dice |",
        "|---|--:|",
        *(f"| {name.replace('_', ' ')} | {_cell(dice, name)} |" for name in dice),
    ]


def _cell(dice: Mapping[str, Any], name: str) -> str:
    """Mean and SD of a class; a bare number is a mean of earlier versions."""
    mean = number_of(dice, name)
    if mean is not None:
        return f"{mean:.3f}"
    spread = section_of(dice, name)
    mean, sd = number_of(spread, "mean"), number_of(spread, "sd")
    if mean is None:
        return "-"
    return f"{mean:.3f}" if sd is None else f"{mean:.3f} ± {sd:.3f}"


def _mean_part(section: Section) -> list[str]:
    mean = number_of(section, "mean_foreground_dice")
    return [] if mean is None else [f"Mean foreground Dice: **{mean:.3f}**"]


def _ef_part(section: Section) -> list[str]:
    """Errors of the ejection fraction, prediction minus reference [percentage points]."""
    heads = ("EF error [points]", "bias", "SD", "limits of agreement", "mean absolute", "patients")
    rows = []
    for name, title in _EF_ROWS.items():
        error = section_of(section, f"{name}_ef_error")
        if not error:
            continue
        low, high = number_of(error, "low_points"), number_of(error, "high_points")
        limits = "-" if low is None or high is None else f"{low:+.1f} to {high:+.1f}"
        patients = number_of(error, "patients")
        rows.append(
            (
                title,
                _number(error, "bias_points", "+.1f"),
                _number(error, "sd_points", ".1f"),
                limits,
                _number(error, "mean_absolute_points", ".1f"),
                "-" if patients is None else f"{patients:.0f}",
            )
        )
    return [table(heads, rows)] if rows else []


def _volume_part(volumes: Any) -> list[str]:
    """Single volumes beside an expert's, e.g. of the DICOM patient."""
    rows = []
    for entry in _mappings(volumes):
        measured, reference = number_of(entry, "measured_ml"), number_of(entry, "reference_ml")
        if measured is None or not reference:
            continue
        share = 100 * (measured - reference) / reference
        rows.append(
            (str(entry.get("name", "")), f"{measured:.1f}", f"{reference:.1f}", f"{share:+.1f} %")
        )
    heads = ("volume", "predicted [ml]", "expert [ml]", "difference")
    return [table(heads, rows)] if rows else []


def doubt_parts(doubt: Section) -> list[str]:
    """Paragraphs and tables about how well the model knows where it is wrong, Markdown."""
    rows = []
    for name, title in DOUBT_ROWS.items():
        value = number_of(doubt, name)
        if value is not None:
            rows.append((title, f"{100 * value:.0f} %" if name in _SHARES else f"{value:.3g}"))
    patients = number_of(doubt, "patients")
    measured = [] if patients is None else [f"Measured on {patients:.0f} held-out patients."]
    return [
        *measured,
        *_sentences(doubt.get("notes")),
        *([table(("doubt", "reached"), rows)] if rows else []),
        *_flagged_part(doubt.get("flagged")),
        *command_parts(doubt),
    ]


def _flagged_part(flagged: Any) -> list[str]:
    rows = []
    for entry in _mappings(flagged):
        count, raised = number_of(entry, "count"), number_of(entry, "flagged")
        if count and raised is not None:
            share = f"{raised:.0f} of {count:.0f} ({100 * raised / count:.0f} %)"
            rows.append((str(entry.get("input", "")), share))
    return [table(("input", "flagged as unfamiliar"), rows)] if rows else []


def command_parts(section: Section) -> list[str]:
    """The commands that give a section's numbers again, as a block of code."""
    commands = section.get("commands")
    if not isinstance(commands, Sequence) or isinstance(commands, str) or not commands:
        return []
    return ["```\n" + "\n".join(str(command) for command in commands) + "\n```"]


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table whose columns but the first are numbers, on the right."""
    lines = [heads, ["---", *["--:"] * (len(heads) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _number(content: Mapping[str, Any], name: str, form: str) -> str:
    value = number_of(content, name)
    return "-" if value is None else format(value, form)


def _sentences(notes: Any) -> list[str]:
    given = isinstance(notes, Sequence) and not isinstance(notes, str)
    return [str(note) for note in notes] if given else []


def _mappings(entries: Any) -> list[Mapping[str, Any]]:
    """The tables in a list; nothing where there is no list."""
    given = isinstance(entries, Sequence) and not isinstance(entries, str)
    return [entry for entry in entries if isinstance(entry, Mapping)] if given else []
