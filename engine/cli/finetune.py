"""Commands of the learning loop: finetune, select."""

from pathlib import Path
from typing import Annotated, Any

import typer

from engine.cli.console import drive, say, say_json, say_note
from engine.cli.loop_tables import (
    selection_facts,
    show_collected,
    show_round,
    show_selection,
    show_standing,
)
from engine.cli.model_option import named_or_active
from engine.cli.patient import DeviceChoice, DeviceOption
from engine.cli.turns import BesideOption, in_turn

LoopArgument = Annotated[Path, typer.Argument(help="Folder of the loop.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print data, not prose.")]
ThreadsOption = Annotated[
    int | None, typer.Option("--threads", min=1, help="On a CPU; 1 is exactly repeatable.")
]

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
    finetune.command(epilog="Example: heartseg finetune use loop")(use)
    app.add_typer(finetune, name="finetune")
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
    epochs: Annotated[
        int | None, typer.Option("--epochs", min=1, help="Of each fine-tuning; 30 if not given.")
    ] = None,
    learning_rate: Annotated[
        float | None,
        typer.Option("--learning-rate", min=1e-9, help="Of each fine-tuning; 1.5e-3 if not given."),
    ] = None,
) -> None:
    """Begin a loop: choose the model, and lock the patients away that it will be judged on.

    What is locked is never trained on, by name or by a single slice. Rules of adoption stand in
    `loop.toml` in the loop's folder.
    """
    from engine.loop.beginning import begin_loop, seen_by, told_of_seen
    from engine.loop.loop_folder import LoopSettings

    given: dict[str, Any] = {"epochs": epochs, "learning_rate": learning_rate}
    settings = LoopSettings(
        start=str(Path(start).absolute()) if Path(start).is_dir() else start,
        data=tuple(str(folder.absolute()) for folder in data),
        test=tuple(str(folder.absolute()) for folder in test),
        **{name: value for name, value in given.items() if value is not None},
    )
    made = drive(begin_loop(loop, settings))
    told = told_of_seen(made.active, seen_by(made.active, made.locked))
    if told:
        say_note(f"Note: {told}")
    say(f"Locked {len(made.locked.patients)} patients away. The model is {made.active.name}.")


def collect(
    loop: LoopArgument,
    folders: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Patient folders, or folders of such; without any those of `loop.toml`."
        ),
    ] = None,
    run_when_due: Annotated[
        bool, typer.Option("--run", help="Run a round at once, if enough is new.")
    ] = False,
    device: DeviceOption = DeviceChoice.AUTO,
    threads: ThreadsOption = None,
) -> None:
    """Take studies that readers have approved into the loop's collection, a version each."""
    from engine.loop.collection import collect as collect_steps
    from engine.loop.loop_folder import open_loop
    from engine.loop.round_plan import is_due, new_since_last_round

    opened = open_loop(loop)
    wanted = folders or [Path(each) for each in opened.settings.folders]
    found = drive(collect_steps(opened.collection, opened.locked, wanted))
    show_collected(found, len(new_since_last_round(opened)))
    if not is_due(opened):
        return
    if run_when_due or opened.settings.when_due == "run":
        run(loop, device=device, threads=threads)
    else:
        say("Enough for a round: heartseg finetune run.")


def run(
    loop: LoopArgument,
    device: DeviceOption = DeviceChoice.AUTO,
    threads: ThreadsOption = None,
    anew: Annotated[
        bool,
        typer.Option("--anew", help="Set a stopped round aside; without this it goes on."),
    ] = False,
    beside: BesideOption = False,
    as_json: JsonOption = False,
) -> None:
    """Fine-tune the active model, judge the candidate on the locked patients, and decide."""
    from engine.loop.following import follow
    from engine.loop.loop_folder import open_loop
    from engine.loop.round_plan import set_round_aside
    from engine.loop.rounds import run_round

    opened = open_loop(loop)
    if anew:
        set_round_aside(opened)
    with in_turn(device, beside=beside):
        done = drive(run_round(opened, device=device.value, threads=threads))
    used = follow(opened)
    if as_json:
        say_json({"round": done.number, **done.verdict.as_json()})
        return
    show_round(done)
    if used is not None:
        say(f"HeartSeg predicts with {used.name} from now on.")


def status(loop: LoopArgument, as_json: JsonOption = False) -> None:
    """Say which model is active, what waits to be learned, and how every round went."""
    from engine.loop.standing import read_standing

    standing = drive(read_standing(loop))
    if not as_json:
        show_standing(standing)
        return
    active = None if standing.active is None else str(standing.active.path)
    waiting = [study.as_json() for study in standing.waiting]
    say_json({"active": active, "waiting": waiting, "history": standing.loop.history})


def roll_back(loop: LoopArgument) -> None:
    """Make the model active again that was so before the present one."""
    from engine.loop.following import follow
    from engine.loop.loop_folder import open_loop

    opened = open_loop(loop)
    entry = opened.roll_back()
    say(f"Active model: {entry.name} ({entry.path})")
    if follow(opened) is not None:
        say("HeartSeg predicts with it from now on.")


def use(loop: LoopArgument) -> None:
    """Predict with the loop's active model from now on, in the window and on the command line."""
    from engine.loop.following import put_in_use
    from engine.loop.loop_folder import open_loop

    entry = put_in_use(open_loop(loop))
    say(f"HeartSeg predicts with {entry.name} ({entry.path}) where no model is named.")


def select(
    folders: Annotated[
        list[Path], typer.Argument(help="Patient folders, or folders of patient folders.")
    ],
    count: Annotated[int, typer.Option("--count", min=1, help="How many to suggest.")] = 10,
    model: Annotated[
        str | None, typer.Option("--model", help="Name of a model, or a model folder.")
    ] = None,
    loop: Annotated[
        Path | None,
        typer.Option("--loop", help="Ask this loop's model, and leave its locked patients out."),
    ] = None,
    device: DeviceOption = DeviceChoice.AUTO,
    as_json: JsonOption = False,
) -> None:
    """Say which unread studies would teach the model most: by its doubt, and no two alike."""
    from engine.learning.checkpoint import load_model
    from engine.loop.loop_folder import open_loop
    from engine.loop.selection import select_studies

    opened = None if loop is None else open_loop(loop)
    wanted = opened.active.path if opened and model is None else named_or_active(model)
    locked = None if opened is None else opened.locked
    steps = select_studies(
        folders, load_model(wanted), count=count, device=device.value, locked=locked
    )
    chosen = drive(steps)
    if as_json:
        say_json(selection_facts(chosen))
    else:
        show_selection(chosen)
