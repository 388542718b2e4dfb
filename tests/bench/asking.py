"""Asking the model about one slice after the other, as click prompts do."""

import time

from engine.learning.checkpoint import load_model
from engine.learning.opinion import form_opinion
from engine.progress import run_to_end
from tests.bench.measuring import Measurement, summarise
from tests.bench.scene import round_heart

SHAPE = (30, 12, 512, 512)
_TIMES = 20


def measure() -> list[Measurement]:
    """Slices that are seen whole, for no heart is found in rings on noise."""
    cine = round_heart(SHAPE).stacks[0].cine
    opinion = run_to_end(form_opinion(load_model(None), cine))
    samples = []
    for number in range(_TIMES):
        start = time.perf_counter()
        opinion.look((number, 6))
        samples.append(1000 * (time.perf_counter() - start))
    return [summarise("the model asked about a whole slice, 512x512", "ms", samples)]
