"""One round of a loop: fine-tune the active model, judge the candidate, decide."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.datasets.catalogue import read_labelled
from engine.datasets.labelled import LabelledPatient
from engine.errors import ModelError
from engine.loop.collection import CollectedStudy, latest_versions, read_collection
from engine.loop.gate import Verdict, decide
from engine.loop.judging import Judgement, judge
from engine.loop.locked import lock
from engine.loop.loop_folder import CANDIDATES, LoopFolder
from engine.progress import Steps

if TYPE_CHECKING:
    from engine.learning.checkpoint import Model
    from engine.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Round:
    """What a round came to.

    Attributes:
        number: From 1.
        candidate: The folder of the model that was trained.
        active: How the model that was active before did on the locked patients.
        judged: How the candidate did.
        verdict: Whether it was adopted, and why.
        studies: The collected studies it learned from.
    """

    number: int
    candidate: Path
    active: Judgement = field(repr=False)
    judged: Judgement = field(repr=False)
    verdict: Verdict
    studies: tuple[CollectedStudy, ...] = field(repr=False)


def new_since_last_round(loop: LoopFolder) -> list[CollectedStudy]:
    """Collected versions that no round has learned from, whatever became of its candidate."""
    seen = {
        (study["name"], study["key"])
        for event in loop.history
        if event["event"] == "round"
        for study in event["studies"]
    }
    return [s for s in latest_versions(loop.collection) if (s.name, s.key) not in seen]


def is_due(loop: LoopFolder) -> bool:
    """Whether enough new studies are there for a round to be worth while."""
    return len(new_since_last_round(loop)) >= loop.settings.new_studies


def run_round(
    loop: LoopFolder, *, device: str = "auto", threads: int | None = None
) -> Steps[Round]:
    """Fine-tune the active model on all that is collected, and adopt what is better.

    A round that was stopped goes on where it was. The candidate is kept, whatever is decided.

    Args:
        loop: The loop.
        device: auto, cpu or cuda.
        threads: Of a training on the CPU; None takes all cores.

    Raises:
        ModelError: There is nothing new to learn from, the locked patients changed or overlap what
            is to be learned from, or the training failed.
        CannotSaveError: The loop cannot be written.
    """
    from engine.learning.checkpoint import load_model
    from engine.learning.run_folder import STATE
    from engine.learning.training import train

    studies = tuple(latest_versions(loop.collection))
    _refuse_without_news(loop)
    collected = yield from read_collection(studies)
    patients = yield from _with_base_data(loop, collected)
    yield from loop.locked.refuse_leaks(patients)
    test = yield from read_locked(loop)
    number, active = loop.next_round, load_model(loop.active.path)
    folder = loop.candidate(number)
    if not (folder / "card.md").is_file():  # else it was trained before, but not judged
        recipe = finetuning_recipe(active, loop)
        resume = (folder / STATE).is_file()
        yield from train(patients, recipe, folder, device=device, threads=threads, resume=resume)
    before = yield from judge(active, test, device=device)
    after = yield from judge(load_model(folder), test, device=device)
    verdict = decide(before, after, loop.settings.rules)
    loop.append("round", **_facts(number, loop, before, after, verdict, studies))
    return Round(number, folder, before, after, verdict, studies)


def _refuse_without_news(loop: LoopFolder) -> None:
    if not new_since_last_round(loop):
        raise ModelError(
            "Nothing new was approved since the last round.",
            hint="Approve studies in the window, then collect them: "
            "`heartseg finetune DIR --collect FOLDER`.",
        )


def _with_base_data(
    loop: LoopFolder, collected: Sequence[LabelledPatient]
) -> Steps[list[LabelledPatient]]:
    """Collected patients, and those of the base data that are not among them."""
    patients = {patient.name: patient for patient in collected}
    for name in loop.settings.data:
        for patient in (yield from read_labelled(Path(name))):
            patients.setdefault(patient.name, patient)
    return list(patients.values())


def read_locked(loop: LoopFolder) -> Steps[list[LabelledPatient]]:
    """The locked patients, as they were when they were locked.

    Raises:
        ModelError: They are gone or changed.
    """
    patients: list[LabelledPatient] = []
    for name in loop.settings.test:
        patients += yield from read_labelled(Path(name))
    wanted = [patient for patient in patients if patient.name in loop.locked.patients]
    now = yield from lock(wanted)
    if now != loop.locked:
        changed = sorted(
            name for name, marks in loop.locked.patients.items() if now.patients.get(name) != marks
        )
        raise ModelError(
            f"The locked patients changed: {', '.join(changed[:3])} "
            f"{'is' if len(changed) == 1 else 'are'} not as when they were locked.",
            hint="Put their images back. Models can only be compared on the same patients.",
        )
    return wanted


def finetuning_recipe(active: "Model", loop: LoopFolder) -> "Recipe":
    """How a candidate is trained: as the active model was, but from its weights, and gently."""
    from engine.recipe import change_recipe

    settings, recipe = loop.settings, active.recipe
    title = recipe.title.split(", fine-tuned")[0]
    return change_recipe(
        recipe,
        {
            "title": f"{title}, fine-tuned (round {loop.next_round})",
            "training.start": str(active.entry.path),
            "training.start_hash": active.hash,
            "training.epochs": settings.epochs,
            "training.learning_rate": settings.learning_rate,
            "training.keep": "last",
            "training.early_stopping": 0,
            "split.kind": "fractions",
            "split.fractions": (1.0, 0.0, 0.0),  # the locked patients are the test
            "split.unit": "patient",
        },
    )


def _facts(
    number: int,
    loop: LoopFolder,
    before: Judgement,
    after: Judgement,
    verdict: Verdict,
    studies: Sequence[CollectedStudy],
) -> Mapping[str, Any]:
    return {
        "round": number,
        "candidate": f"{CANDIDATES}/{loop.candidate(number).name}",
        "active": before.as_json(),
        "judged": after.as_json(),
        "verdict": verdict.as_json(),
        "studies": [study.as_json() for study in studies],
    }
