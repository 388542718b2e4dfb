"""Training on the CPU: our trainer against a bare loop, and the memory of a real training set."""

import json
import subprocess
import sys
from itertools import pairwise

from tests.bench.measuring import Measurement, summarise
from tests.conftest import data_root

BATCHES = 5
ROUNDS = 3
PATIENTS = 80
STEPS = 10

_AGAINST_A_BARE_LOOP = """
import json, sys, tempfile, time
from pathlib import Path
import numpy as np
import torch
from engine.datasets.labelled import LabelledPatient, LabelledVolume, bits_of
from engine.learning.learner import make_optimiser, start_network
from engine.learning.losses import make_loss
from engine.learning.training import train
from engine.networks.blocks import in_channels_last
from engine.recipe import change_recipe, read_recipe

batches, rounds = int(sys.argv[1]), int(sys.argv[2])
recipe = change_recipe(read_recipe("ehab-heart"), {
    "training.epochs": rounds + 1, "split.validation": "none", "training.keep": "last",
    "training.schedule": "constant", "training.early_stopping": 0,
    "split.kind": "folds", "split.folds": 2,
})
random = np.random.default_rng(0)
patients = []
for name in ("a", "b"):
    shape = (8 * (batches + 1), 180, 180)
    labels = random.integers(0, 4, shape, np.uint8)
    image = random.integers(0, 900, shape, np.int16)
    volume = LabelledVolume(name, image, bits_of(labels), (10.0, 1.5, 1.5), "ED")
    patients.append(LabelledPatient(name, "", (volume,)))

def in_an_epoch(steps):
    '''Seconds a batch, from the first of an epoch to its last: the pipeline starts cold.'''
    while ", loss" not in next(steps).doing:
        pass
    began = time.perf_counter()
    for _ in range(batches):
        next(steps)
    return (time.perf_counter() - began) / batches

network = in_channels_last(start_network(recipe)).train()
optimiser = make_optimiser(network, recipe.training, torch.device("cpu"))
loss_of = make_loss(recipe.loss.sum, options=recipe.loss.options)
images = torch.rand(8, 1, 128, 128).contiguous(memory_format=torch.channels_last)
possible = 1 << torch.randint(4, (8, 128, 128))

def bare():
    began = time.perf_counter()
    for _ in range(batches):
        optimiser.zero_grad()
        loss_of(network(images), possible).backward()
        optimiser.step()
    return (time.perf_counter() - began) / batches

with tempfile.TemporaryDirectory() as folder:
    steps = train(patients, recipe, Path(folder) / "run", device="cpu")
    in_an_epoch(steps)
    bare()
    found = {"ours": [], "bare": [bare()]}
    for _ in range(rounds):
        found["ours"].append(in_an_epoch(steps))
        found["bare"].append(bare())
    steps.close()
print(json.dumps(found))
"""

_ON_A_REAL_SET = """
import json, sys, tempfile, time
from pathlib import Path
from engine.datasets.catalogue import read_labelled
from engine.learning.runtime import peak_memory_mb
from engine.learning.training import train
from engine.progress import run_to_end
from engine.recipe import change_recipe, read_recipe
import torch

patients = run_to_end(read_labelled(Path(sys.argv[1])))[: int(sys.argv[2])]
cpu = torch.device("cpu")
read = peak_memory_mb(cpu)
samples = []
with tempfile.TemporaryDirectory() as folder:
    recipe = change_recipe(read_recipe("shortaxis-unet"), {"split.folds": len(patients)})
    steps = train(patients, recipe, Path(folder) / "run", device="cpu")
    while ", loss" not in next(steps).doing:
        pass
    for _ in range(int(sys.argv[3])):
        began = time.perf_counter()
        next(steps)
        samples.append(time.perf_counter() - began)
    steps.close()
print(json.dumps({"patients": len(patients), "read": read, "peak": peak_memory_mb(cpu),
                  "samples": samples}))
"""


def measure() -> list[Measurement]:
    """The 31 M U-Net against a bare loop; ACDC with the shipped recipe, where the data are.

    Both loops take turns in one process. Each turn of ours is held against the bare ones before
    and after it, so that what else the machine does weighs on both.
    """
    found = _run(_AGAINST_A_BARE_LOOP, str(BATCHES), str(ROUNDS))
    around = pairwise(found["bare"])
    ratios = [2 * o / (b + a) for o, (b, a) in zip(found["ours"], around, strict=True)]
    lines = [
        summarise("train 31 M U-Net, 8x128x128: a batch", "s", found["ours"]),
        summarise("the same in a bare loop", "s", found["bare"]),
        summarise("ours over bare", "", ratios, target_median=1.1),
    ]
    acdc = data_root() / "acdc"
    if acdc.is_dir():
        found = _run(_ON_A_REAL_SET, str(acdc), str(PATIENTS), str(STEPS))
        name = f"train on {found['patients']} ACDC patients"
        lines += [
            summarise(f"{name}: a batch", "s", found["samples"]),
            summarise(f"{name}: peak once they are read", "MB", [found["read"]]),
            summarise(f"{name}: peak memory", "MB", [found["peak"]], target_median=3000),
        ]
    return lines


def _run(code: str, *arguments: str) -> dict[str, list[float]]:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    found: dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])
    return found
