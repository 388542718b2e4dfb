"""Run all benchmarks, or those that are named: `python -m tests.bench [NAME ...]`.

Needs a display; without one: `xvfb-run -a -s "-screen 0 1600x1000x24" python -m tests.bench`.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path

from tests.bench import (
    asking,
    brush,
    cohort,
    correcting,
    editing,
    idle,
    invariance,
    journal,
    opening,
    predicting,
    predicting_beside,
    predicting_window,
    quantities,
    reader,
    scoring,
    slices,
    space,
    space_view,
    start,
    surfaces,
    training,
    training_window,
)
from tests.bench.measuring import Measurement, machine

BENCHMARKS: dict[str, Callable[[], list[Measurement]]] = {
    "editing": editing.measure,  # first: it measures the memory of the whole process
    "slices": slices.measure,
    "brush": brush.measure,
    "brush_3d": brush.measure_beside_3d,
    "correcting": correcting.measure,
    "idle": idle.measure,
    "space": space.measure,
    "space_view": space_view.measure,
    "start": start.measure,
    "opening": opening.measure,
    "predicting": predicting.measure,
    "asking": asking.measure,
    "predicting_beside": predicting_beside.measure,
    "predicting_window": predicting_window.measure,
    "reader": reader.measure,
    "training": training.measure,
    "training_window": training_window.measure,
    "scoring": scoring.measure,
    "cohort": cohort.measure,
    "quantities": quantities.measure,
    "invariance": invariance.measure,
    "journal": journal.measure,
    "surfaces": surfaces.measure,
}
"""One file, one line here: a function that measures and returns its lines of the table."""

OUT = Path("out") / "bench.json"


def main(names: list[str]) -> int:
    """Measure, print, write."""
    unknown = set(names) - set(BENCHMARKS)
    if unknown:
        sys.stderr.write(f"No benchmark {sorted(unknown)}; there are {sorted(BENCHMARKS)}.\n")
        return 2
    before = machine()
    found: list[Measurement] = []
    for name in names or list(BENCHMARKS):
        for line in BENCHMARKS[name]():
            found.append(line)
            sys.stdout.write(_row(line))
            sys.stdout.flush()
    OUT.parent.mkdir(exist_ok=True)
    entries = [{"machine": before}, *(line.as_json() for line in found)]
    OUT.write_text(json.dumps(entries, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(f"written to {OUT}\n")
    return 0


def _row(line: Measurement) -> str:
    mark = "  " if line.met else " !"
    targets = [f"{t:g}" for t in (line.target_median, line.target_p99) if t is not None]
    wanted = f"  (target {' / '.join(targets)})" if targets else ""
    return (
        f"{line.name:<46} {line.median:>9.3f} {line.p99:>9.3f} {line.unit:<12}"
        f" n={line.n}{mark}{wanted}\n"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
