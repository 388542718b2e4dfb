"""One round of a loop: fine-tune the active model, judge the candidate, decide."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.datasets.catalogue import read_labelled
from engine.datasets.labelled import LabelledPatient
from engine.errors import ModelError
from engine.learning.apart.places import claimed
from engine.learning.models import RECIPE
from engine.loop.collection import CollectedStudy, read_collection
from engine.loop.gate import Verdict, decide, refuse_drift
from engine.loop.judging import Judgement, judge
from engine.loop.locked import lock
from engine.loop.loop_folder import CANDIDATES, LoopFolder, active_in
from engine.loop.round_plan import RoundPlan, end_round, plan_round
from engine.progress import Steps

if TYPE_CHECKING:
    from engine.learning.checkpoint import Model
    from engine.recipe import Recipe

_LOCK = ".round.lock"


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


def run_round(
    loop: LoopFolder, *, device: str = "auto", threads: int | None = None
) -> Steps[Round]:
    """Fine-tune the active model on all that is collected, and adopt what is better.

    A round that was stopped goes on where it was, with the studies that it began with, whatever
    was collected since. The candidate is kept, whatever is decided.

    Args:
        loop: The loop.
        device: auto, cpu or cuda.
        threads: Of a training on the CPU; None takes all cores.

    Raises:
        ModelError: There is nothing new to learn from, the locked patients changed or overlap what
            is to be learned from, the training failed, or the round is under way elsewhere.
        CannotSaveError: The loop cannot be written.
    """
    with claimed(loop.path / _LOCK) as ours:
        if not ours:
            raise ModelError(
                f"A round of {loop.path} is under way already.",
                hint="Wait until it has ended, or stop it in the program that runs it.",
            )
        plan = plan_round(loop)
        patients = yield from _with_base_data(loop, (yield from read_collection(plan.studies)))
        yield from loop.locked.refuse_leaks(patients)
        test = yield from read_locked(loop)
        done = yield from _run(loop, plan, patients, test, device=device, threads=threads)
        end_round(loop)
    return done


def _run(
    loop: LoopFolder,
    plan: RoundPlan,
    patients: Sequence[LabelledPatient],
    test: Sequence[LabelledPatient],
    *,
    device: str,
    threads: int | None,
) -> Steps[Round]:
    """Train, judge, decide and write it down."""
    from engine.learning.checkpoint import load_model
    from engine.learning.run_folder import STATE
    from engine.learning.training import train
    from engine.recipe import read_recipe

    active, folder = load_model(loop.active.path), loop.candidate(plan.number)
    if not plan.trained:
        resume = (folder / STATE).is_file()
        recipe = read_recipe(folder / RECIPE) if resume else finetuning_recipe(active, loop)
        yield from train(patients, recipe, folder, device=device, threads=threads, resume=resume)
    before = yield from judge(active, test, device=device)
    after = yield from judge(load_model(folder), test, device=device)
    verdict = decide(before, after, loop.settings.rules)
    verdict = yield from _seen_from_the_start(loop, verdict, after, test, device)
    done = Round(plan.number, folder, before, after, verdict, plan.studies)
    loop.append("round", **_facts(done))
    return done


def _seen_from_the_start(
    loop: LoopFolder,
    verdict: Verdict,
    judged: Judgement,
    test: Sequence[LabelledPatient],
    device: str,
) -> Steps[Verdict]:
    """A candidate that would be adopted, compared with the model that the loop began with too."""
    from engine.learning.checkpoint import load_model

    if not verdict.adopted or not active_in(loop.history):
        return verdict
    try:
        model = load_model(loop.first.path)
    except ModelError as error:
        told = f"Not compared with the model that the loop began with: {error.what}"
        return replace(verdict, reasons=(*verdict.reasons, told))
    first = yield from judge(model, test, device=device)
    return refuse_drift(verdict, first, judged, loop.settings.rules)


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
            "training.batch": settings.batch or recipe.training.batch,
            "training.keep": "last",
            "training.early_stopping": 0,
            "split.kind": "fractions",
            "split.fractions": (1.0, 0.0, 0.0),  # the locked patients are the test
            "split.unit": "patient",
        },
    )


def _facts(done: Round) -> Mapping[str, Any]:
    return {
        "round": done.number,
        "candidate": f"{CANDIDATES}/{done.candidate.name}",
        "active": done.active.as_json(),
        "judged": done.judged.as_json(),
        "verdict": done.verdict.as_json(),
        "studies": [study.as_json() for study in done.studies],
    }
