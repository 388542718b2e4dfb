"""The command about networks."""

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from engine.cli.console import say_json, say_table

if TYPE_CHECKING:
    from engine.networks.counting import Configuration


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(epilog="Example: heartseg networks --json")(networks)


def networks(
    as_json: Annotated[bool, typer.Option("--json", help="Print data, not prose.")] = False,
) -> None:
    """List the networks a recipe can name, and count their parameters."""
    from engine.networks import NETWORKS
    from engine.networks.counting import list_configurations

    counts = {name: [_count(each) for each in list_configurations(name)] for name in NETWORKS}
    if as_json:
        say_json([_as_json(name, counts[name]) for name in NETWORKS])
        return
    for name, network in NETWORKS.items():
        say_table(_table(f"{name}: {network.title}", counts[name]))


def _table(title: str, counts: list[dict[str, Any]]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("Configuration", min_width=34)  # so that the tables stand in line
    for heading, width in (("In", 2), ("Classes", 7), ("Parameters", 10), ("Trainable", 10)):
        table.add_column(heading, min_width=width, justify="right")
    for count in counts:
        numbers = (count["in_channels"], count["classes"], count["total"], count["trainable"])
        table.add_row(count["title"], *(f"{number:,}" for number in numbers))
    return table


def _count(configuration: "Configuration") -> dict[str, Any]:
    from engine.networks.counting import count_configuration

    total, trainable = count_configuration(configuration)
    return {
        "title": configuration.title,
        "in_channels": configuration.in_channels,
        "classes": configuration.classes,
        "options": configuration.options,
        "total": total,
        "trainable": trainable,
    }


def _as_json(name: str, counts: list[dict[str, Any]]) -> dict[str, Any]:
    from dataclasses import asdict

    from engine.networks import NETWORKS, network_options

    return {
        "name": name,
        "title": NETWORKS[name].title,
        "dimensions": NETWORKS[name].dimensions,
        "options": [asdict(option) for option in network_options(name)],
        "counts": counts,
    }
