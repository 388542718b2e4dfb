"""Commands of the learning loop: finetune, compare-models, select."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from engine.cli.console import drive, say, say_json, say_note, say_table
from engine.cli.patient import DeviceChoice, DeviceOption

if TYPE_CHECKING:
    from engine.datasets.labelled import LabelledPatient
    from engine.loop.gate import Criterion, Verdict
    from engine.loop.rounds import Round
    from engine.loop.selection import Selection

LoopArgument = Annotated[Path, typer.Argument(help="Folder of the loop.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print data, not prose.")]

finetune = typer.Typer(
    help="Let a model learn from approved studies, and adopt only what is not worse.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    finetune.command(
        epilog="Example: heartseg finetune begin loop --start shortaxis-unet --test locked"
    )(begin)
    finetune.command(epilog="Example: heartseg finetune collect loop data/patients")(collect)
    finetune.command(epilog="Example: heartseg finetune run loop")(run)
    finetune.command(epilog="Example: heartseg finetune status loop")(status)
    finetune.command("roll-back", epilog="Example: heartseg finetune roll-back loop")(roll_back)
    app.add_typer(finetune, name="finetune")
    app.command(
        "compare-models",
        epilog="Example: heartseg compare-models shortaxis-unet run1 --data locked",
    )(compare_models)
    app.command(epilog="Example: heartseg select data/unread --count 10")(select)


def begin(
    loop: LoopArgument,
    start: Annotated[str, typer.Option("--start", help="Model to begin with: name or folder.")],
    test: Annotated[
        list[Path],
        typer.Option("--test", help="Folder of labelled patients to lock away; may be repeated."),
    ],
    data: Annotated[
        list[Path],
        typer.Option("--data", help="Labelled patients that every round learns from too."),
    ] = [],  # noqa: B006  (typer copies it)
    epochs: Annotated[int, typer.Option("--epochs", min=1, help="Of each fine-tuning.")] = 8,
    learning_rate: Annotated[
        float, typer.Option("--learning-rate", min=1e-9, help="Of each fine-tuning.")
    ] = 2e-4,
) -> None:
    """Begin a loop: choose the model, and lock the patients away that it will be judged on.

    What is locked is never trained on, by name or by a single slice. Rules of adoption stand in
    `loop.toml` in the loop's folder.
    """
    from engine.loop.loop_folder import LoopSettings, make_loop

    settings = LoopSettings(
        start=str(Path(start).absolute()) if Path(start).is_dir() else start,
        data=tuple(str(folder.absolute()) for folder in data),
        test=tuple(str(folder.absolute()) for folder in test),
        epochs=epochs,
        learning_rate=learning_rate,
    )
    patients = _read(test)
    made = drive(make_loop(loop, settings, patients))
    say(f"Locked {len(made.locked.patients)} patients away. The model is {made.active.name}.")


def collect(
    loop: LoopArgument,
    folders: Annotated[
        list[Path], typer.Argument(help="Patient folders, or folders of patient folders.")
    ],
) -> None:
    """Take studies that readers have approved into the loop's collection, a version each."""
    from engine.loop.collection import collect as collect_steps
    from engine.loop.loop_folder import open_loop
    from engine.loop.rounds import is_due, new_since_last_round

    opened = open_loop(loop)
    found = drive(collect_steps(opened.collection, opened.locked, folders))
    for why in found.left_out:
        say_note(f"Note: {why}")
    new = sum(study.is_new for study in found.studies)
    waiting = len(new_since_last_round(opened))
    say(f"{new} new versions of {len(found.studies)} approved studies; {waiting} not learned yet.")
    if is_due(opened):
        say("Enough for a round: heartseg finetune run.")


def run(
    loop: LoopArgument,
    device: DeviceOption = DeviceChoice.AUTO,
    threads: Annotated[
        int | None, typer.Option("--threads", min=1, help="On a CPU; 1 is exactly repeatable.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Fine-tune the active model, judge the candidate on the locked patients, and decide."""
    from engine.loop.loop_folder import open_loop
    from engine.loop.rounds import run_round

    done = drive(run_round(open_loop(loop), device=device.value, threads=threads))
    if as_json:
        say_json({"round": done.number, **done.verdict.as_json()})
        return
    _show_round(done)


def status(loop: LoopArgument, as_json: JsonOption = False) -> None:
    """Say which model is active, what waits to be learned, and how every round went."""
    from engine.loop.loop_folder import open_loop
    from engine.loop.rounds import new_since_last_round

    opened = open_loop(loop)
    history = opened.history
    if as_json:
        say_json({"active": str(opened.active.path), "history": history})
        return
    say(f"Active model: {opened.active.name} ({opened.active.path})")
    say(f"Locked patients: {len(opened.locked.patients)}")
    say(f"Approved studies not learned yet: {len(new_since_last_round(opened))}")
    _show_history(history)


def roll_back(loop: LoopArgument) -> None:
    """Make the model active again that was so before the present one."""
    from engine.loop.loop_folder import open_loop

    entry = open_loop(loop).roll_back()
    say(f"Active model: {entry.name} ({entry.path})")


def compare_models(
    first: Annotated[str, typer.Argument(help="Name or folder of a model, the active one.")],
    second: Annotated[str, typer.Argument(help="Name or folder of another, the candidate.")],
    data: Annotated[
        list[Path], typer.Option("--data", help="Labelled patients that neither has seen.")
    ],
    device: DeviceOption = DeviceChoice.AUTO,
    as_json: JsonOption = False,
) -> None:
    """Set two models side by side on the same patients, by the rules of a learning loop."""
    from engine.learning.checkpoint import load_model
    from engine.loop.gate import Rules, decide
    from engine.loop.judging import judge

    models = [load_model(name) for name in (first, second)]
    patients = _read(data)
    judged = [drive(judge(model, patients, device=device.value)) for model in models]
    verdict = decide(judged[0], judged[1], Rules())
    if as_json:
        say_json({"models": [each.as_json() for each in judged], **verdict.as_json()})
        return
    _show_verdict(verdict, judged[0].model, judged[1].model)


def select(
    folders: Annotated[
        list[Path], typer.Argument(help="Patient folders, or folders of patient folders.")
    ],
    count: Annotated[int, typer.Option("--count", min=1, help="How many to suggest.")] = 10,
    model: Annotated[
        str | None, typer.Option("--model", help="Name of a model, or a model folder.")
    ] = None,
    device: DeviceOption = DeviceChoice.AUTO,
    as_json: JsonOption = False,
) -> None:
    """Say which unread studies would teach the model most: by its doubt, and no two alike."""
    from engine.learning.checkpoint import load_model
    from engine.loop.selection import select_studies

    steps = select_studies(folders, load_model(model), count=count, device=device.value)
    chosen = drive(steps)
    if as_json:
        say_json(_selection_facts(chosen))
        return
    for why in chosen.left_out:
        say_note(f"Note: {why}")
    for each in chosen.suggestions:
        say(f"{each.rank:3}. {each.study.name}: {each.why}")


def _read(folders: list[Path]) -> "list[LabelledPatient]":
    from engine.datasets.catalogue import read_labelled

    return [patient for folder in folders for patient in drive(read_labelled(folder))]


def _show_round(done: "Round") -> None:
    say(f"Round {done.number}: {done.candidate}")
    _show_verdict(done.verdict, done.active.model, "candidate")


def _show_verdict(verdict: "Verdict", before: str, after: str) -> None:
    table = Table("", before, after, "change (95 %)", "allowed")
    for each in verdict.criteria:
        table.add_row(each.title, *_cells(each))
    say_table(table)
    say("ADOPTED." if verdict.adopted else "NOT ADOPTED.")
    for reason in verdict.reasons:
        say(f"  {reason}")


def _cells(each: "Criterion") -> list[str]:
    digits = 1 if each.unit else 3
    unit = f" {each.unit}" if each.unit else ""
    shown = [
        "-" if value is None else f"{value:.{digits}f}{unit}" for value in (each.before, each.after)
    ]
    low_high = each.interval
    change = "" if low_high is None else f"{low_high[0]:+.{digits}f} to {low_high[1]:+.{digits}f}"
    sign = "-" if each.better == "higher" else "+"
    return [*shown, change, f"{sign}{each.slack:g}{unit}{'' if each.passed else '  WORSE'}"]


def _show_history(history: list[dict[str, Any]]) -> None:
    table = Table("Round", "When", "Studies", "Mean Dice", "To correct of 100 slices", "")
    for event in history:
        if event["event"] == "rolled_back":
            table.add_row("", event["at"], "", "", "", f"rolled back to {event['model']}")
        if event["event"] != "round":
            continue
        dice, edits = (
            f"{_shown(event['active'], name)} > {_shown(event['judged'], name)}"
            for name in ("dice", "corrections_per_100_slices")
        )
        decided = "adopted" if event["verdict"]["adopted"] else event["verdict"]["reasons"][0]
        studies = str(len(event["studies"]))
        table.add_row(str(event["round"]), event["at"], studies, dice, edits, decided)
    say_table(table)


def _shown(judged: dict[str, Any], name: str) -> str:
    if name == "dice":
        values = [value for key, value in judged.items() if key.startswith("dice_")]
        known = [value for value in values if value is not None]
        return f"{sum(known) / len(known):.3f}" if known else "-"
    value = judged.get(name)
    return "-" if value is None else f"{value:.0f}"


def _selection_facts(chosen: "Selection") -> dict[str, Any]:
    return {
        "studies": [
            {
                "folder": str(each.study.folder),
                "name": each.study.name,
                "expected_error_ml": each.study.expected_error_ml,
                "unfamiliarity": each.study.unfamiliarity,
                "distance": each.distance,
                "why": each.why,
            }
            for each in chosen.suggestions
        ],
        "left_out": list(chosen.left_out),
    }
