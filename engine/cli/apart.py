"""The hidden command that a bundled window starts its trainings with."""

import typer

from engine.learning.apart import HIDDEN_COMMAND


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(HIDDEN_COMMAND, hidden=True)(work_apart)


def work_apart() -> None:
    """Do the work that comes in as a line of JSON; only this program itself starts it."""
    from engine.learning.apart.worker import main

    raise typer.Exit(main())
