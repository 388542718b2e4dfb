"""Predicting ED and ES with the shipped model on the CPU: time after loading, peak memory."""

import json
import subprocess
import sys
from pathlib import Path

from tests.bench.measuring import Measurement, summarise
from tests.conftest import data_root

TIMES = 10
_CHILD = """
import json, sys, time
from pathlib import Path
from engine.io.study_folder import read_study
from engine.learning.checkpoint import load_model
from engine.learning.inference import predict
from engine.progress import run_to_end
stack = run_to_end(read_study(Path(sys.argv[1]))).stacks[0]
start = time.perf_counter()
model = load_model()
loading = time.perf_counter() - start
ed, es = stack.ed_phase or 0, stack.es_phase or stack.cine.phase_count - 1
samples = []
for _ in range(int(sys.argv[2]) + 1):
    start = time.perf_counter()
    run_to_end(predict(model, stack.cine, device="cpu", ed_phase=ed, es_phase=es))
    samples.append(time.perf_counter() - start)
# Not ru_maxrss: across fork and exec it keeps the parent's peak.
lines = open("/proc/self/status").read().splitlines()
peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
print(json.dumps({"loading": loading, "first": samples[0], "samples": samples[1:], "peak": peak}))
"""


def measure() -> list[Measurement]:
    """Predict one patient: an ACDC one where the data are there, else a phantom."""
    from engine.datasets.phantom import write_phantom
    from engine.progress import run_to_end

    patient = data_root() / "acdc" / "training" / "patient001"
    if not patient.is_dir():
        patient = Path("out") / "bench_phantom"
        if not patient.is_dir():
            run_to_end(write_phantom(patient, 1))
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, str(patient), str(TIMES)],
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    return [
        summarise("predict: load the model", "s", [found["loading"]]),
        summarise("predict: ED and ES, first time", "s", [found["first"]], target_median=3.0),
        summarise("predict: ED and ES", "s", found["samples"], target_median=3.0),
        summarise("predict: peak memory", "MB", [found["peak"]], target_median=1500),
    ]
