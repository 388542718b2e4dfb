"""Predicting with the shipped model on the CPU, in a process of its own: time and memory."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench.measuring import Measurement, summarise
from tests.conftest import data_root

TIMES = 10
_CHILD = """
import json, sys, time
from pathlib import Path
import numpy as np
from engine.cine import Cine
from engine.geometry import Geometry
from engine.io.study_folder import read_study
from engine.learning.checkpoint import load_model
from engine.learning.inference import PhaseLabelled, predict
from engine.progress import run_to_end
import torch, scipy.ndimage  # the program has them by the time a model is loaded

def read():
    return run_to_end(read_study(Path(sys.argv[1]))).stacks[0]

def key_phases():
    stack = read()
    ed, es = stack.ed_phase or 0, stack.es_phase or stack.cine.phase_count - 1
    return run_to_end(predict(model, stack.cine, device="cpu", key_phases=(ed, es)))

def as_large(cine, phases=30, slices=10):
    '''The same heart with as many phases and slices as a large cine has.'''
    sizes = zip(cine.shape, (phases, slices), strict=False)
    chosen = [np.linspace(0, n - 1, wanted).round().astype(int) for n, wanted in sizes]
    old = cine.geometry
    geometry = Geometry((slices, *cine.shape[2:]), old.spacing_mm, old.affine)
    return Cine("large", cine.voxels[np.ix_(*chosen)], geometry)

def timed(work):
    began = time.perf_counter()
    work()
    return time.perf_counter() - began

def whole(cine):
    '''Seconds until the phase on the screen is labelled, between two steps, and altogether.'''
    began = last = time.perf_counter()
    first, gaps = None, []
    for step in predict(model, cine, phases="all", device="cpu", first=7):
        now = time.perf_counter()
        gaps.append(now - last)
        last = now
        if first is None and isinstance(step, PhaseLabelled):
            first = now - began
    return {"first": first, "gap": max(gaps), "whole": time.perf_counter() - began}

began = time.perf_counter()
model = load_model()
found = {"loading": [time.perf_counter() - began]}
found["anew"] = [timed(key_phases)]
began = time.perf_counter()
model = load_model()
found["loading"].append(time.perf_counter() - began)
found["start"] = [timed(key_phases)]
found["key_phases"] = [timed(key_phases) for _ in range(int(sys.argv[2]))]
large = as_large(read().cine)
for one in [whole(large) for _ in range(3)]:
    for name, value in one.items():
        found.setdefault(name, []).append(value)
# Not ru_maxrss: across fork and exec it keeps the parent's peak.
lines = open("/proc/self/status").read().splitlines()
found["peak"] = [next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024]
print(json.dumps(found))
"""


def measure() -> list[Measurement]:
    """Predict one patient: an ACDC one where the data are there, else a phantom."""
    with tempfile.TemporaryDirectory() as cache:  # as on a machine that never predicted
        done = subprocess.run(
            [sys.executable, "-c", _CHILD, str(patient_folder()), str(TIMES)],
            env=os.environ | {"HEARTSEG_CACHE": cache},
            capture_output=True,
            text=True,
            check=True,
        )
    found = json.loads(done.stdout.splitlines()[-1])
    cine = "predict: cine of 30 phases x 10 slices"
    return [
        summarise("predict: load the model", "s", found["loading"], target_median=1.0),
        summarise("predict: ED and ES, first time on a machine", "s", found["anew"]),
        summarise("predict: ED and ES, first time after a start", "s", found["start"]),
        summarise(
            "predict: ED and ES, file to labels", "s", found["key_phases"], target_median=0.5
        ),
        summarise(f"{cine}, phase on screen", "s", found["first"], target_median=0.3),
        summarise(f"{cine}, longest step", "s", found["gap"], target_median=0.2),
        summarise(f"{cine}, whole", "s", found["whole"], target_median=4.0),
        summarise("predict: peak memory", "MB", found["peak"], target_median=1500),
    ]


def patient_folder() -> Path:
    """An ACDC patient where the data are there, else a phantom."""
    from engine.datasets.phantom import write_phantom
    from engine.progress import run_to_end

    patient = data_root() / "acdc" / "training" / "patient001"
    if not patient.is_dir():
        patient = Path("out") / "bench_phantom"
        if not patient.is_dir():
            run_to_end(write_phantom(patient, 1))
    return patient
