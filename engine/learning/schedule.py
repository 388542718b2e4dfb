"""When the learning rate falls, when training stops, and which epoch was the best.

All of it is arithmetic on epochs and scores, so that it can be read, tested and written into a
file; nothing here knows a network. Callbacks follow Keras, in which most of the papers trained.
"""

import math
from collections.abc import Mapping
from typing import Any

from engine.recipe import Recipe, TrainingRecipe

Notes = dict[str, Any]
"""What a part of a training must remember between two runs; JSON."""


class Watch:
    """The best value so far of something watched from epoch to epoch.

    Attributes:
        best: The best value; None before the first.
        best_epoch: When it was seen, from 1; 0 before the first.
        wait: Epochs since then, or since `wait` was set to 0.
    """

    def __init__(self, *, larger_is_better: bool, smallest_change: float = 0.0) -> None:
        self._sign = 1.0 if larger_is_better else -1.0
        self._smallest_change = smallest_change
        self.best: float | None = None
        self.best_epoch = 0
        self.wait = 0

    def see(self, value: float | None, epoch: int) -> bool:
        """Take the value of an epoch, counted from 1, and tell whether it is the best so far.

        A value counts as better when it is so by more than `smallest_change`. None, a score
        that has no value, is never better.
        """
        if value is not None and self._is_better(value):
            self.best, self.best_epoch, self.wait = value, epoch, 0
            return True
        self.wait += 1
        return False

    def _is_better(self, value: float) -> bool:
        return self.best is None or self._sign * (value - self.best) > self._smallest_change

    def notes(self) -> Notes:
        """What `restore` takes back."""
        return {"best": self.best, "best_epoch": self.best_epoch, "wait": self.wait}

    def restore(self, notes: Mapping[str, Any]) -> None:
        """Take up what an earlier run remembered."""
        self.best = notes["best"]
        self.best_epoch, self.wait = notes["best_epoch"], notes["wait"]


class Schedule:
    """The learning rate of every step.

    cosine: half a cosine down to zero over the whole training (Loshchilov and Hutter 2017).
    step: times `factor` after every `step_epochs` epochs.
    plateau: times `factor` when the watched value was not better for `patience` epochs, counted
    as Keras counts: on a flat value and a patience of 10 after the epochs 11, 21, 31.
    constant: stays.

    Each begins with `warm_up_steps` steps of linear warm-up and never falls below
    `smallest_rate`.

    Args:
        training: The recipe's part.
        steps: Steps of the whole training.
        larger_is_better: Of the value that the plateau watches.
    """

    def __init__(
        self, training: TrainingRecipe, *, steps: int, larger_is_better: bool = False
    ) -> None:
        self._training = training
        self._steps = steps
        self._plateau_rate = training.learning_rate
        self._watch = Watch(
            larger_is_better=larger_is_better, smallest_change=training.smallest_change
        )

    def rate(self, *, step: int, epoch: int) -> float:
        """The learning rate of a step, both counted from 0 since the training began."""
        training = self._training
        warm = min(1.0, (step + 1) / max(1, training.warm_up_steps))
        return max(self._unwarmed(step, epoch), training.smallest_rate) * warm

    def _unwarmed(self, step: int, epoch: int) -> float:
        training = self._training
        start = training.learning_rate
        if training.schedule == "cosine":
            return start * 0.5 * (1 + math.cos(math.pi * step / self._steps))
        if training.schedule == "step":
            return start * training.factor ** (epoch // training.step_epochs)
        return self._plateau_rate if training.schedule == "plateau" else start

    def end_epoch(self, value: float | None, epoch: int) -> None:
        """Take the watched value of an epoch, counted from 1; only the plateau cares."""
        training = self._training
        if training.schedule != "plateau" or self._watch.see(value, epoch):
            return
        if self._watch.wait >= training.patience:
            self._plateau_rate = max(self._plateau_rate * training.factor, training.smallest_rate)
            self._watch.wait = 0

    def notes(self) -> Notes:
        """What `restore` takes back."""
        return {"rate": self._plateau_rate, "watch": self._watch.notes()}

    def restore(self, notes: Mapping[str, Any]) -> None:
        """Take up what an earlier run remembered."""
        self._plateau_rate = notes["rate"]
        self._watch.restore(notes["watch"])


def is_larger_better(monitor: str) -> bool:
    """Whether a larger value of the recipe's `monitor` is the better one: not of a loss."""
    return not monitor.endswith("loss")


class Course:
    """How a training goes: its learning rate, its best epoch, and whether it is over.

    Early stopping follows Keras: any improvement counts, and on a flat value a patience of 20
    stops after epoch 21.

    Attributes:
        epoch: Epochs done.
        best: What was watched, and when it was best.
    """

    def __init__(self, recipe: Recipe, *, steps_per_epoch: int) -> None:
        self._training = recipe.training
        larger = is_larger_better(recipe.training.monitor)
        steps = recipe.training.epochs * steps_per_epoch
        self.schedule = Schedule(recipe.training, steps=steps, larger_is_better=larger)
        self.best = Watch(larger_is_better=larger)
        self.epoch = 0

    @property
    def is_over(self) -> bool:
        """Whether the epochs are used up, or were without improvement for too long."""
        training = self._training
        tired = training.early_stopping and self.best.wait >= training.early_stopping
        return self.epoch >= training.epochs or bool(tired)

    @property
    def chosen_epoch(self) -> int:
        """The epoch whose weights are the model, from 1."""
        if self._training.keep == "best" and self.best.best_epoch:
            return self.best.best_epoch
        return self.epoch

    def end_epoch(self, value: float | None) -> None:
        """Take what was watched in the epoch that just ended; None where nothing is."""
        self.epoch += 1
        self.best.see(value, self.epoch)
        self.schedule.end_epoch(value, self.epoch)

    def notes(self) -> Notes:
        """What `restore` takes back."""
        return {
            "epoch": self.epoch,
            "best": self.best.notes(),
            "schedule": self.schedule.notes(),
        }

    def restore(self, notes: Mapping[str, Any]) -> None:
        """Take up what an earlier run remembered."""
        self.epoch = notes["epoch"]
        self.best.restore(notes["best"])
        self.schedule.restore(notes["schedule"])
