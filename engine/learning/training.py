"""Training: from labelled patients and a recipe to a model folder, resumable at every epoch."""

import logging
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine.datasets.labelled import LabelledPatient
from engine.datasets.samples import Batch
from engine.datasets.splits import Split, split_patients
from engine.errors import ModelError
from engine.learning.assessment import Assessment, Assessor
from engine.learning.finishing import finish_run
from engine.learning.learner import Learner, NotFinite, start_network
from engine.learning.processes import Processes, start_processes
from engine.learning.recording import Recorder, Seconds
from engine.learning.run_folder import STATE, RunFolder, check_run, open_run
from engine.learning.runtime import (
    choose_device,
    choose_precision,
    describe_device,
    is_out_of_memory,
)
from engine.learning.schedule import Course
from engine.learning.training_data import (
    TrainingData,
    absent_classes,
    check_recipe,
    draw_hearts,
    gather_data,
)
from engine.learning.watched import Watcher
from engine.progress import Progress, Steps
from engine.recipe import Recipe

_log = logging.getLogger(__name__)


def train(
    patients: Sequence[LabelledPatient],
    recipe: Recipe,
    out: Path,
    *,
    device: str = "auto",
    resume: bool = False,
    devices: int = 1,
    nodes: int = 1,
    threads: int | None = None,
) -> Steps[Path]:
    """Train the recipe's network and score it on the test patients; yields after every batch.

    With several processes each learns from its share of every batch. The mean of their gradients
    is that of the whole batch where the loss is a mean over samples; a loss pooled over a batch
    is pooled over each share.

    Args:
        patients: All labelled patients; the recipe's split says what each is for.
        recipe: What to train.
        out: Folder for the model; made if missing. All processes must see it.
        device: auto, cpu or cuda.
        resume: Go on where an interrupted run in `out` stopped.
        devices: Processes on this machine, a GPU each or parts of the CPU; more than one only
            from the command line, which they run again.
        nodes: Machines.
        threads: Of each process on a CPU; None takes all cores. Runs are equal to the last bit
            with one.

    Returns:
        `out`, which is then a model folder.

    Raises:
        ModelError: Nothing to train on, recipe and data do not go together, the memory is too
            small, the loss became NaN, or `out` holds another run.
        CannotSaveError: `out` cannot be written, or the disk is full; the state of the epoch
            before is kept.
        FollowerStopped: In all processes but the first, when the first ends with an error.
    """
    drawn = yield from draw_hearts(recipe)
    where = choose_device(device)
    precision = choose_precision(recipe.training.precision, where)
    with start_processes(
        where, precision, devices=devices, nodes=nodes, threads=threads
    ) as processes:
        yield Progress(0, 0, "Preparing samples")
        split, folder, run = _prepare(patients, drawn, recipe, out, processes, resume=resume)
        with closing(run.recorder):
            yield from run.to_end()
    chosen = run.course.chosen_epoch
    del run  # the model is loaded anew, and may need the room
    if folder is not None:
        yield from finish_run(folder, recipe, split, chosen_epoch=chosen, device=device)
    return out


def _prepare(
    patients: Sequence[LabelledPatient],
    drawn: Sequence[LabelledPatient],
    recipe: Recipe,
    out: Path,
    processes: Processes,
    *,
    resume: bool,
) -> tuple[Split, RunFolder | None, "_Run"]:
    """Everything up to the first batch; the folder is the first process's alone."""
    folder: RunFolder | None = None
    with processes.together():
        check_recipe(recipe, processes=processes.count)
        split = split_patients(patients, recipe)
        split = replace(split, train=(*split.train, *drawn))
        if processes.is_first:
            check_run(out, recipe, resume=resume)
        network = start_network(recipe, resumed=resume and (out / STATE).is_file())
        data = gather_data(split, recipe, stride=network.stride)
        if processes.is_first:
            _warn_of_absent(
                split.train, recipe
            )  # not before all else is well: what fails leaves nothing behind
            folder = _open_folder(out, recipe, split, processes, resume=resume)
    learner = Learner(network, recipe, data.loss, processes)
    run = _Run(recipe, data, learner, processes, folder)
    with processes.together():
        if resume:
            run.recorder.restore(out)
    return split, folder, run


def _warn_of_absent(patients: Sequence[LabelledPatient], recipe: Recipe) -> None:
    """A network learns that a class without labels does not exist, and that is rarely meant."""
    absent = absent_classes(patients, recipe)
    if absent:
        _log.warning(
            "No training image has the class %s, so it will never be found. Are the labels "
            "numbered otherwise? A dataset.json, as nnU-Net has it, says what their numbers mean.",
            " or ".join(absent),
        )


def _open_folder(
    out: Path, recipe: Recipe, split: Split, processes: Processes, *, resume: bool
) -> RunFolder:
    folder = open_run(out, recipe, resume=resume)
    folder.write_split(trained=split.train, validated=split.validation, held_out=split.test)
    folder.write_environment(
        {
            "device": describe_device(processes.device),
            "processes": processes.count,
            "threads": torch.get_num_threads(),
            "precision": processes.precision,
        }
    )
    return folder


class _Run:
    """One training: what it learns from, what learns, and how far it has come."""

    def __init__(
        self,
        recipe: Recipe,
        data: TrainingData,
        learner: Learner,
        processes: Processes,
        folder: RunFolder | None,
    ) -> None:
        self._recipe = recipe
        self._data = data
        self._learner = learner
        self._processes = processes
        self._batches = data.samples.steps_per_epoch(ranks=processes.count)
        steps = -(-self._batches // recipe.training.accumulate)
        self.course = Course(recipe, steps_per_epoch=steps)
        self.recorder = Recorder(recipe, learner, self.course, folder, images=len(data.samples))
        self._watcher: Watcher | None = None
        if folder is not None:
            self._watcher = Watcher(folder.path, data.validation or data.samples, recipe)

    def to_end(self) -> Steps[None]:
        """Train epoch after epoch; the state is on the disk after each."""
        while not self.course.is_over:
            started = time.monotonic()
            learned = yield from self._learn()
            learning = time.monotonic() - started
            validated = yield from self._validate()
            monitor = self._recipe.training.monitor
            self.course.end_epoch(None if validated is None else validated.score(monitor))
            seconds = Seconds(learning, time.monotonic() - started)
            with self._processes.together():
                signs = self.recorder.end_epoch(learned, validated, seconds)
                if self._watcher is not None:
                    self._watcher.look(self._learner, self.course.epoch)
            for sign in signs:
                yield Progress(
                    self.course.epoch * self._batches,
                    self._recipe.training.epochs * self._batches,
                    f"{'Note' if sign.early else 'Warning'} after epoch {self.course.epoch}: "
                    f"{sign.what}",
                )

    def _learn(self) -> Steps[Assessment]:
        """One epoch over the training samples."""
        assessor = Assessor(self._recipe, self._processes.device)
        count = self._processes.count
        stream = self._data.samples.batches(
            epoch=self.course.epoch, augment=True, rank=self._processes.rank, ranks=count
        )
        with closing(stream):
            for number, batch in enumerate(stream):
                values, logits = self._learn_from(batch, number)
                assessor.add(values, len(batch.indices))
                assessor.count(logits, batch.possible)
                yield self._progress(number + 1, f"loss {assessor.mean('loss'):.3f}")
        return assessor.finish(self._processes)

    def _learn_from(self, batch: Batch, number: int) -> tuple[dict[str, float], Tensor]:
        training, epoch = self._recipe.training, self.course.epoch
        first = number - number % training.accumulate
        group = min(training.accumulate, self._batches - first)
        try:
            return self._learner.learn(
                batch.images,
                batch.possible,
                seed=_draw_seed(training.seed, epoch, number, self._processes.rank),
                learning_rate=self.course.schedule.rate(step=self._learner.step, epoch=epoch),
                of=group,
                last=number == first + group - 1,
            )
        except NotFinite:
            fault = self._not_finite(batch, number)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            fault = None
        # outside of the handlers, which hold tensors
        if fault is None:
            raise self._too_large(batch)
        self._processes.agree(fault)
        raise fault

    def _validate(self) -> Steps[Assessment | None]:
        """The running mean of the weights on the validation samples, if there are any."""
        source = self._data.validation
        if source is None:
            return None
        assessor = Assessor(self._recipe, self._processes.device)
        stream = source.batches(
            epoch=0, augment=False, rank=self._processes.rank, ranks=self._processes.count
        )
        with closing(stream):
            for batch in stream:
                loss, logits = self._learner.assess(batch.images, batch.possible)
                assessor.add({"loss": loss}, len(batch.indices))
                assessor.count(logits, batch.possible)
                yield self._progress(self._batches, "validating")
        return assessor.finish(self._processes)

    def _progress(self, batches: int, doing: str) -> Progress:
        epochs, epoch = self._recipe.training.epochs, self.course.epoch
        done = epoch * self._batches + batches
        shown = f"Epoch {min(epoch + 1, epochs)} of {epochs}, {doing}"
        return Progress(done, epochs * self._batches, shown)

    def _not_finite(self, batch: Batch, number: int) -> ModelError:
        indices = self._processes.gather(torch.tensor(batch.indices)).tolist()
        names = sorted({self._data.samples.name_of(index) for index in indices})
        return ModelError(
            f"The loss is not a number any more in epoch {self.course.epoch + 1}, batch "
            f"{number + 1} ({', '.join(names)}).",
            hint="Look at these images, make the learning rate smaller or set "
            "training.clip_gradient. What the epoch before learned is kept.",
        )

    def _too_large(self, batch: Batch) -> ModelError:
        fitting = self._learner.largest_fitting(batch.images, batch.possible)
        device = describe_device(self._processes.device)
        total = fitting * self._processes.count
        return ModelError(
            f"The memory of {device} is too small for a batch of {self._recipe.training.batch}.",
            hint=f"A batch of {total} fits: --set training.batch={total} (and "
            "training.accumulate to make up for it)."
            if fitting
            else "Not even one sample fits: make image.size or the network smaller.",
        )


def _draw_seed(*numbers: int) -> int:
    """A seed for every batch, the same whenever and wherever it is learned from."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1)
