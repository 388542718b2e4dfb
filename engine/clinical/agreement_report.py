"""The agreement of readings as files: every pair, every quantity, every group."""

import csv
import json
import re
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from engine.clinical.conventions import Conventions
from engine.clinical.measured_readings import MeasuredReadings
from engine.clinical.measured_sources import Gathered
from engine.errors import UnmeasurableError
from engine.io.atomic_file import write_atomically
from engine.progress import Progress, Steps
from engine.scoring.agreement import intraclass
from engine.scoring.agreement_intervals import icc_interval
from engine.scoring.agreement_pairs import MeasuredPairs
from engine.scoring.agreement_summary import summarise_agreement
from engine.scoring.quantities import MAIN, quantity_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Kind = Literal["svg", "png", "pdf"]
"""Files that a figure can be written as."""


def compare_all(
    readings: MeasuredReadings, reference: str, *, limits_factor: float = 1.96
) -> dict[str, Any]:
    """Hold every reading against one of them, in every quantity and group.

    Args:
        readings: All measurements.
        reference: Name of the reading that the others are held against.
        limits_factor: SDs from the bias to the limits that come first, 1.96 or 2.

    Returns:
        `{"sign", "reference", "readings", "conventions", "studies", "comparisons": [{"first",
        "second", "quantity", "title", "unit", "left_out", "groups": {"all": ..., GROUP: ...}}],
        "all": [{"quantity", "studies", "icc_2_1", "interval"}]}`, see `AgreementSummary.as_json`.
        `conventions` are the choices behind each reading, several where studies differ and none
        where they are not known. `all` is ICC(2,1) over every reading where there are more than
        two.

    Raises:
        UnmeasurableError: The reference is not there.
        ConventionMismatchError: Readings measured in ways that forbid to compare them.
    """
    comparisons = []
    for name in readings.readings:
        if name == reference:
            continue
        for key in readings.quantities:
            pairs = readings.pairs(name, reference, key)
            if not pairs.points:
                continue
            summaries = summarise_agreement(pairs, limits_factor=limits_factor)
            comparisons.append(
                {
                    "first": name,
                    "second": reference,
                    "quantity": key,
                    "title": quantity_of(key).title,
                    "unit": quantity_of(key).unit,
                    "left_out": list(pairs.left_out),
                    "groups": {each.group or "all": each.as_json() for each in summaries},
                }
            )
    return {
        "sign": "first minus second",
        "reference": reference,
        "readings": list(readings.readings),
        "conventions": {
            name: [each.as_facts() for each in readings.conventions_of(name)]
            for name in readings.readings
        },
        "studies": len(readings.studies),
        "comparisons": comparisons,
        "all": _all_together(readings),
    }


def _all_together(readings: MeasuredReadings) -> list[dict[str, Any]]:
    """ICC(2,1) over all readings, where it says more than that of a pair."""
    if len(readings.readings) < 3:
        return []
    rows = []
    for key in readings.quantities:
        table = readings.table(readings.readings, key)
        icc = intraclass(table, absolute=True)
        interval = None if icc is None else icc_interval(table)
        rows.append(
            {
                "quantity": key,
                "studies": len(table),
                "icc_2_1": icc,
                "interval": None if interval is None else list(interval),
            }
        )
    return rows


_CSV_HEADINGS = (
    "first", "second", "quantity", "unit", "group", "count", "left_out", "bias", "bias_low",
    "bias_high", "sd", "lower_1.96", "lower_1.96_low", "lower_1.96_high", "upper_1.96",
    "upper_1.96_low", "upper_1.96_high", "lower_2", "upper_2", "pearson_r", "pearson_r_low",
    "pearson_r_high", "r_squared", "ccc", "ccc_low", "ccc_high", "icc_2_1", "icc_2_1_low",
    "icc_2_1_high", "icc_3_1", "t", "t_p", "wilcoxon_w", "wilcoxon_p", "slope", "slope_p",
    "first_conventions", "second_conventions",
)  # fmt: skip
_POINT_HEADINGS = (
    "study", "group", "quantity", "unit", "first", "second", "first_value", "second_value",
    "mean", "difference", "folder",
)  # fmt: skip


def agreement_csv(facts: dict[str, Any]) -> str:
    """What `compare_all` has found as a table: a line for each pair, quantity and group."""
    return _as_csv(
        _CSV_HEADINGS,
        [
            _csv_row(comparison, group, found, facts["conventions"])
            for comparison in facts["comparisons"]
            for group, found in comparison["groups"].items()
        ],
    )


def _csv_row(
    comparison: dict[str, Any],
    group: str,
    found: dict[str, Any],
    conventions: dict[str, list[dict[str, Any]]],
) -> list[Any]:
    intervals, tests, limits = found["intervals"], found["tests"], found["limits"]
    narrow, wide = limits["1.96"], limits["2"]
    return [
        *(comparison[key] for key in ("first", "second", "quantity", "unit")),
        group, found["count"], len(comparison["left_out"]) if group == "all" else "",
        found["bias"], *_ends(found["bias_interval"]), found["sd"],
        narrow["lower_limit"], *_ends(narrow["lower_limit_interval"]),
        narrow["upper_limit"], *_ends(narrow["upper_limit_interval"]),
        wide["lower_limit"], wide["upper_limit"],
        found["pearson_r"], *_ends(intervals["pearson_r"]), found["r_squared"],
        found["ccc"], *_ends(intervals["ccc"]),
        found["icc_2_1"], *_ends(intervals["icc_2_1"]), found["icc_3_1"],
        *(tests[key] for key in ("t", "t_p", "wilcoxon_w", "wilcoxon_p", "slope", "slope_p")),
        *(_as_cell(conventions[comparison[side]]) for side in ("first", "second")),
    ]  # fmt: skip


def _as_cell(several: Sequence[dict[str, Any]]) -> str:
    """Conventions for one cell; empty where they are not known."""
    return " | ".join(Conventions.from_facts(each).as_text() for each in several)


def points_csv(readings: MeasuredReadings, reference: str) -> str:
    """Every pair of values behind `compare_all`, one a line, with the folder of its study."""
    rows: list[list[Any]] = []
    for name in readings.readings:
        if name == reference:
            continue
        for key in readings.quantities:
            for point in readings.pairs(name, reference, key).points:
                values = (point.first, point.second, point.mean, point.difference)
                head = (point.study, point.group, key, quantity_of(key).unit, name, reference)
                rows.append([*head, *values, str(point.folder or "")])
    return _as_csv(_POINT_HEADINGS, rows)


def _ends(interval: Sequence[float] | None) -> Sequence[float | None]:
    return (None, None) if interval is None else interval


def _as_csv(headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    stream = StringIO()
    table = csv.writer(stream, lineterminator="\n")
    table.writerow(headings)
    table.writerows([["" if cell is None else plain_cell(cell) for cell in row] for row in rows])
    return stream.getvalue()


def plain_cell(value: Any) -> Any:
    """The same, but no text that a spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value


def write_agreement(
    gathered: Gathered,
    reference: str,
    folder: Path,
    *,
    limits_factor: float = 1.96,
    quantities: Sequence[str] = (),
    kinds: Sequence[Kind] = get_args(Kind),
) -> Steps[list[Path]]:
    """Write `agreement.json`, `agreement.csv`, `points.csv` and a figure of each quantity.

    Args:
        gathered: All measurements.
        reference: Name of the reading that the others are held against.
        folder: Where to; made if missing.
        limits_factor: SDs from the bias to the limits that are drawn, 1.96 or 2.
        quantities: Keys of those that are drawn; empty for those that papers draw.
        kinds: Files of each figure.

    Returns:
        The files.

    Raises:
        UnmeasurableError: A reading or quantity is not there, or nothing can be compared.
        ConventionMismatchError: Readings measured in ways that forbid to compare them.
        CannotSaveError: The folder cannot be written to.
    """
    yield Progress(0, 0, "Comparing")
    from engine.drawing.canvas import figure_bytes

    readings = gathered.readings
    facts = compare_all(readings, reference, limits_factor=limits_factor)
    _refuse_nothing(facts, readings)
    drawn = _to_draw(facts, quantities)
    facts["problems"] = list(gathered.problems)
    texts = {
        "agreement.json": json.dumps(facts, indent=2, ensure_ascii=False, allow_nan=False) + "\n",
        "agreement.csv": agreement_csv(facts),
        "points.csv": points_csv(readings, reference),
    }
    written = []
    for name, text in texts.items():
        encoding = "utf-8-sig" if name.endswith(".csv") else "utf-8"  # for Excel
        write_atomically(folder / name, text.encode(encoding))
        written.append(folder / name)
    for number, comparison in enumerate(drawn):
        yield Progress(number, len(drawn), f"Drawing {comparison['title']}")
        pairs = readings.pairs(comparison["first"], reference, comparison["quantity"])
        stem = plain_name(f"{comparison['first']} {comparison['quantity']}")
        figure = draw_pairs(pairs, limits_factor=limits_factor)
        for kind in kinds:
            path = folder / "figures" / f"{stem}.{kind}"
            write_atomically(path, figure_bytes(figure, kind))
            written.append(path)
    yield Progress(len(drawn), len(drawn), "Agreement written")
    return written


def draw_pairs(pairs: MeasuredPairs, *, limits_factor: float = 1.96) -> "Figure":
    """One reading over another and the Bland-Altman plot of a quantity, side by side.

    Raises:
        UnmeasurableError: No study has both values.
    """
    from engine.drawing.agreement_plots import PairedQuantity, make_agreement_figure

    what = quantity_of(pairs.quantity)
    first, second = pairs.values
    groups = [point.group or "no group" for point in pairs.points] if pairs.groups else []
    quantity = PairedQuantity(
        what.title, what.unit, first, second, (pairs.first, pairs.second), groups
    )
    return make_agreement_figure([quantity], limits_factor=limits_factor)


def plain_name(text: str) -> str:
    """A text as the name of a file: letters of any language, digits and hyphens."""
    return re.sub(r"[^\w.-]+", "-", text).strip("-.") or "figure"


def _refuse_nothing(facts: dict[str, Any], readings: MeasuredReadings) -> None:
    if len(readings.readings) < 2:
        raise UnmeasurableError(
            f'There is only one reading, "{facts["reference"]}".',
            hint="Give a second source, or a table with a column `reading`.",
        )
    if not facts["comparisons"]:
        named = ", ".join(readings.studies[:4])
        raise UnmeasurableError(
            f'No study was measured by "{facts["reference"]}" and by somebody else.',
            hint=f"Studies pair by their names; there are {named} and so on.",
        )


def _to_draw(facts: dict[str, Any], wanted: Sequence[str]) -> list[dict[str, Any]]:
    known = {comparison["quantity"] for comparison in facts["comparisons"]}
    missing = [key for key in wanted if key not in known]
    if missing:
        raise UnmeasurableError(
            f"There is no quantity {missing[0]}.", hint=f"There are: {', '.join(sorted(known))}."
        )
    chosen = wanted or [key for key in MAIN if key in known] or sorted(known)
    return [each for each in facts["comparisons"] if each["quantity"] in chosen]
