"""The command that tries how a network runs best on this machine: self-test."""

from typing import Annotated

import typer

from engine.cli.console import drive, say, say_json
from engine.cli.model_option import named_or_active
from engine.cli.patient import DeviceChoice, DeviceOption


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("self-test", epilog="Example: heartseg self-test --json")(self_test)


def self_test(
    model: Annotated[
        str | None, typer.Option("--model", help="Name of a model, or a model folder.")
    ] = None,
    device: DeviceOption = DeviceChoice.AUTO,
    as_json: Annotated[bool, typer.Option("--json", help="Print data, not prose.")] = False,
) -> None:
    """Try which way to run a model is quickest on this machine and gives the same labels.

    The program does so by itself when a model first predicts, and remembers the answer. This
    command does it again, and what it finds is used from then on.
    """
    from engine.learning.checkpoint import load_model
    from engine.learning.execution import choose_execution
    from engine.learning.runtime import choose_device

    loaded = load_model(named_or_active(model))
    found = drive(choose_execution(loaded, choose_device(device.value), afresh=True))
    if as_json:
        say_json(found.as_json())
        return
    for line in found.as_text().splitlines():
        say(line)
