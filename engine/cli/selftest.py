"""The command that tries how a network runs best on this machine: self-test."""

from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.console import drive, say, say_json
from engine.cli.patient import DeviceChoice, DeviceOption

if TYPE_CHECKING:
    from engine.learning.execution.machine import Machine
    from engine.learning.execution.self_test import RuntimeResult, SelfTest


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

    loaded = load_model(model)
    found = drive(choose_execution(loaded, choose_device(device.value), afresh=True))
    if as_json:
        say_json(found.as_json())
        return
    for line in _describe(found.machine):
        say(line)
    say("")
    say(f"{found.model}, slices of 128x128; labels beside those of PyTorch in 32 bits on the CPU")
    for line in _rows(found):
        say(line.rstrip())


def _describe(machine: "Machine") -> list[str]:
    free_mb = machine.free_memory_mb
    lines = {
        "Processor": machine.processor,
        "Instructions": ", ".join(machine.instructions) or "none that help",
        "Threads": str(machine.threads),
        "Free memory": "not known" if free_mb is None else f"{free_mb / 1024:.1f} GiB",
        "GPU": machine.graphics or "none that PyTorch can use",
        "PyTorch": machine.torch,
        "OpenVINO": machine.openvino or "not installed",
    }
    return [f"{name + ':':<13} {value}" for name, value in lines.items()]


def _rows(found: "SelfTest") -> list[str]:
    rows = [("Runtime", "ms a slice", "labels that differ", "")]
    for result in found.results:
        ms, differing = result.ms_per_slice, result.differing_percent
        rows.append(
            (
                result.title,
                "-" if ms is None else f"{ms:.1f}",
                "-" if differing is None else f"{differing:.3f} %",
                _verdict(result, chosen=result.name == found.chosen),
            )
        )
    return [
        f"{title:<26}{ms:>11}{differing:>20}  {verdict}" for title, ms, differing, verdict in rows
    ]


def _verdict(result: "RuntimeResult", *, chosen: bool) -> str:
    if chosen:
        return "chosen"
    return f"not used: {result.why_not}" if result.why_not else "slower"
