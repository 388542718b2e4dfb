"""The figures of an experiment that need its numbers alone."""

from collections.abc import Iterator, Sequence

from matplotlib.figure import Figure

from engine.drawing.agreement_plots import PairedQuantity, make_agreement_figure
from engine.drawing.bars import BarPanel, ComparedValue, make_bars_figure, make_comparison_figure
from engine.drawing.canvas import SERIES
from engine.drawing.curves import TrainingRun, make_curves_figure
from engine.experiments.folder import Setting
from engine.experiments.grid import Grid
from engine.experiments.results import CellResult
from engine.experiments.tables import KEY_NAMES, Pair, list_sides, pair_numbers
from engine.learning.published import published_rows

_WARNING = SERIES[1]

_COMPARED = ("dice", "f1", "recall")
"""What is drawn beside the printed values: the first of these that the paper prints."""

_RESOURCES = {
    "training_time": ("training time", "min", 60.0),
    "training_memory": ("training memory", "GB", 1.0),
    "prediction_time": ("prediction of a volume", "s", 1.0),
    "prediction_memory": ("prediction memory", "GB", 1.0),
}
"""Title, unit, and how many of the table's units make one."""

_QUANTITIES = {
    "lv_ef_percent": ("LV ejection fraction", "%"),
    "rv_ef_percent": ("RV ejection fraction", "%"),
    "lv_edv_ml": ("LV volume at ED", "ml"),
    "lv_esv_ml": ("LV volume at ES", "ml"),
    "rv_edv_ml": ("RV volume at ED", "ml"),
    "rv_esv_ml": ("RV volume at ES", "ml"),
    "mass_ed_g": ("Myocardial mass at ED", "g"),
    "mass_es_g": ("Myocardial mass at ES", "g"),
}


def draw_numbers(
    grid: Grid, setting: Setting, results: Sequence[CellResult]
) -> Iterator[tuple[str, Figure]]:
    """Draw what the finished trainings came to; each figure with the name of its file.

    curves: loss and scores by epoch. resources: time and memory. comparison: overlap beside the
    printed one. agreement-CELL: measured quantities, where the paper measured any; of a quick
    run that of the first cell.
    """
    finished = [result for result in results if result.runs]
    if not finished:
        return
    yield "curves.png", _curves(finished)
    pairs = list(pair_numbers(grid, list_sides(grid, finished)))
    yield "resources.png", _resources(grid, finished)
    compared = _comparison(pairs)
    if compared is not None:
        yield "comparison.png", compared
    for result in finished[:1] if setting.quick else finished:
        figure = _agreement(grid, result)
        if figure is not None:
            yield f"agreement-{result.cell.name}.png", figure


def mark(figure: Figure, setting: Setting) -> Figure:
    """Write across a figure that its numbers are no results, where that is so."""
    if setting.caution:
        lines = (f"{setting.caution}:", "not a result")
        width_points = 72 * float(figure.get_size_inches()[0])
        size = min(22.0, 1.2 * width_points / max(map(len, lines)))
        figure.text(
            0.5, 0.5, "\n".join(lines), color=_WARNING, alpha=0.45, rotation=12, fontsize=size,
            ha="center", va="center", zorder=10,
        )  # fmt: skip
    return figure


def _curves(finished: Sequence[CellResult]) -> Figure:
    runs = [
        TrainingRun(result.cell.label, result.runs[0].log, result.chosen_epoch(result.runs[0]))
        for result in finished
    ]
    return make_curves_figure(runs, classes=finished[0].cell.recipe.task.classes)


def _resources(grid: Grid, finished: Sequence[CellResult]) -> Figure:
    sides = [side for side in list_sides(grid, finished) if not side.corrected]
    printed = [v for v in published_rows(grid.paper, task=grid.task) if v.metric in _RESOURCES]
    panels = []
    for metric, (title, unit, size) in _RESOURCES.items():
        ours = {
            side.result.cell.label: m.value and m.value / size
            for side in sides
            for m in side.measured
            if m.metric == metric
        }
        theirs = {
            side.result.cell.label: value.value / size
            for side in sides
            for value in printed
            if value.metric == metric and side.prints(value)
        }
        panels.append(BarPanel(title, unit, ours, theirs or None))
    return make_bars_figure(panels)


def _comparison(pairs: Sequence[Pair]) -> Figure | None:
    place = KEY_NAMES.index("metric")
    for metric in _COMPARED:
        chosen = [pair for pair in pairs if pair.key[place] == metric and pair.printed]
        if chosen:
            break
    else:
        return None
    values = [
        ComparedValue(
            f"{_row_title(pair)}: {pair.place}" if pair.place else _row_title(pair),
            pair.ours.value if pair.ours else None,
            pair.printed.value if pair.printed else None,
            pair.ours.low if pair.ours else None,
            pair.ours.high if pair.ours else None,
            void=pair.printed is not None and pair.printed.target is None,
        )
        for pair in chosen
    ]
    named = {"dice": "Dice", "f1": "F1"}.get(metric, metric)
    return make_comparison_figure(values, quantity=named)


def _row_title(pair: Pair) -> str:
    label = pair.side.result.cell.label
    return f"{label}, simulated correction" if pair.side.corrected else label


def _agreement(grid: Grid, result: CellResult) -> Figure | None:
    """The quantities that the paper measured, in all patients of a cell."""
    wanted = dict.fromkeys(v.quantity for v in published_rows(grid.paper, task=grid.task))
    scores = result.scores
    assert scores is not None
    rows = scores["as_predicted"]["patients"]
    measured = [row["quantities"] for row in rows if row.get("quantities")]
    quantities = []
    for name in (name for name in wanted if name in _QUANTITIES):
        sides = [[one[side][name] for one in measured] for side in ("predicted", "reference")]
        if any(None not in pair for pair in zip(*sides, strict=True)):
            quantities.append(PairedQuantity(*_QUANTITIES[name], sides[0], sides[1]))
    if not quantities:
        return None
    return make_agreement_figure(quantities, limits_factor=result.cell.recipe.scoring.limits_factor)
