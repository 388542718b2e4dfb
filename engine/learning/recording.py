"""What is written after every epoch: log, curves for TensorBoard, warnings, weights, state."""

import logging
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import CannotSaveError
from engine.io.atomic_file import make_folder
from engine.learning.assessment import Assessment
from engine.learning.checkpoint import load_tensors, save_tensors, save_weights
from engine.learning.learner import Learner
from engine.learning.models import WEIGHTS
from engine.learning.run_folder import LAST, STATE, Row, RunFolder
from engine.learning.runtime import peak_memory_mb
from engine.learning.schedule import Course
from engine.recipe import Recipe
from engine.scoring.guard import CollapseWarning, TrainingFacts, warn_of_collapse

if TYPE_CHECKING:
    from tensorboardX.event_file_writer import EventsWriter

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Seconds:
    """How long an epoch took [s].

    Attributes:
        learning: Without its validation.
        whole: With it.
    """

    learning: float
    whole: float


class Recorder:
    """Keeps the record of a training; only the first process has a folder to write it into."""

    def __init__(
        self,
        recipe: Recipe,
        learner: Learner,
        course: Course,
        folder: RunFolder | None,
        *,
        images: int,
    ) -> None:
        self._recipe = recipe
        self._learner = learner
        self._course = course
        self._folder = folder
        self._facts = TrainingFacts(loss=recipe.loss.sum, images=images)
        self._images = images
        self._events: EventsWriter | None = None
        self._losses: list[float] = []
        self._told: bool | None = None  # of signs in the epoch before; whether they were early

    def restore(self, path: Path) -> None:
        """Take up the state in the folder of a stopped run; a run without one starts anew.

        Raises:
            ModelError: The state is damaged, or does not fit the recipe.
            CannotSaveError: The folder cannot be written.
        """
        if not (path / STATE).is_file():
            return
        tensors, notes = load_tensors(path / STATE)
        self._learner.restore(tensors, step=notes["step"])
        self._course.restore(notes["course"])
        if self._folder is not None:
            self._folder.forget_after(self._course.epoch)
            self._losses = [row["loss"] for row in self._folder.rows if row["loss"] is not None]
            self._save_weights(self._folder)  # the run may have been stopped before it could

    def end_epoch(
        self, learned: Assessment, validated: Assessment | None, seconds: Seconds
    ) -> tuple[CollapseWarning, ...]:
        """Write down an epoch that has just ended, and look for signs of a collapse in it.

        Args:
            learned: What the training batches showed.
            validated: What the validation showed; None where there is none.
            seconds: How long the epoch took.

        Raises:
            CannotSaveError: The folder cannot be written; the state of the epoch before is kept.
        """
        self._losses.append(learned.values["loss"])
        signs = warn_of_collapse(
            (validated or learned).confusion,
            classes=self._recipe.task.classes,
            facts=self._facts,
            losses=self._losses,
            ended=self._course.is_over,
        )
        if self._folder is None:
            return signs
        row = self._row(learned, validated, seconds)
        self._folder.log(row)
        self._folder.warn([{"epoch": self._course.epoch, **asdict(sign)} for sign in signs])
        self._draw(row)
        self._save_state(self._folder.path / STATE)
        self._save_weights(self._folder)
        early = signs[0].early if signs else None
        if signs and early is not self._told:  # not every epoch anew
            _log.warning("Epoch %d: %s", self._course.epoch, signs[0].text)
        self._told = early
        return signs

    def _save_weights(self, folder: RunFolder) -> None:
        """Write the weights of this epoch if they are the model; after the last in any case.

        They follow the state: a run that is stopped between the two writes them when it goes on,
        and without a state none of its weights can be taken for a finished model.
        """
        if self._course.chosen_epoch == self._course.epoch:
            save_weights(self._learner.average, folder.path / WEIGHTS)
        elif self._course.is_over:
            save_weights(self._learner.average, folder.path / LAST)

    def _save_state(self, path: Path) -> None:
        notes = {"step": self._learner.step, "course": self._course.notes()}
        save_tensors(self._learner.state(), path, notes)

    def _row(self, learned: Assessment, validated: Assessment | None, seconds: Seconds) -> Row:
        row: Row = {"epoch": self._course.epoch, "loss": learned.values["loss"]}
        row |= {f"loss.{n}": value for n, value in learned.values.items() if n != "loss"}
        row |= self._dice("dice", learned)
        if validated is not None:
            for name in ("val_loss", "val_dice", "val_iou"):
                row[name] = validated.score(name)
            row |= self._dice("val_dice", validated)
        row["learning_rate"] = self._learner.learning_rate
        row["seconds"] = seconds.whole
        row["samples_per_second"] = learned.images / seconds.learning
        row["peak_memory_mb"] = peak_memory_mb(self._learner.device)
        return row

    def _dice(self, name: str, assessed: Assessment) -> Row:
        """The mean Dice of the classes but the background, and that of each, under a name."""
        scores = assessed.confusion.per_class()[1:]
        named = zip(self._recipe.task.foreground, scores, strict=True)
        mean = assessed.confusion.mean_foreground_dice
        return {name: mean} | {f"{name}.{each}": score.dice for each, score in named}

    def close(self) -> None:
        """Close the file of events; what is in it was written after every epoch."""
        if self._events is not None:
            with suppress(OSError):  # a full disk was told when it was written to
                self._events.close()

    def _draw(self, row: Row) -> None:
        """Add an epoch to the curves that TensorBoard shows."""
        from tensorboardX.proto.event_pb2 import Event
        from tensorboardX.summary import scalar

        assert self._folder is not None
        place = self._folder.path / "tensorboard"
        try:
            if self._events is None:
                self._events = _start_events(place, self._course.epoch)
            for name, value in row.items():
                if name != "epoch" and value is not None:
                    summary = scalar(name.replace(".", "/"), value)
                    event = Event(summary=summary, step=row["epoch"], wall_time=time.time())
                    self._events.write_event(event)
            self._events.flush()
        except OSError as error:
            raise CannotSaveError(
                f"The curves in {place} could not be written: {error.strerror or error}.",
                hint="Make room there; --resume goes on from the epoch before.",
            ) from error


def _start_events(folder: Path, epoch: int) -> "EventsWriter":
    """A new file of events; what earlier ones say of this epoch and later ones is void."""
    from tensorboardX.event_file_writer import EventsWriter
    from tensorboardX.proto.event_pb2 import Event, SessionLog

    make_folder(folder)
    events = EventsWriter(str(folder / "events"))
    start = SessionLog(status=SessionLog.START)
    events.write_event(Event(session_log=start, step=epoch, wall_time=time.time()))
    return events
