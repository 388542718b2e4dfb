"""Reading an ONNX file of others with OpenVINO."""

import re
from dataclasses import dataclass
from typing import Any

from engine.learning.execution.openvino_library import open_openvino

_ELSEWHERE = re.compile(rb"\x0a(?:\x08|\x88\x80*\x00)location")
"""What a file holds that keeps weights in another one: the key `location`, as it is encoded."""
_NOISE = ("Exception from", "Check '", "FrontEnd API", "Summary", "-- ", "Errors during")


@dataclass(frozen=True, slots=True)
class Port:
    """An input or an output of a network.

    Attributes:
        kind: Of its numbers, e.g. `float32`.
        shape: Sizes along its axes, None where any will do; None where even the number of axes
            is open.
    """

    kind: str
    shape: tuple[int | None, ...] | None


def read_onnx(content: bytes) -> tuple[Any, list[Port], list[Port]]:
    """Read a network from the content of an ONNX file.

    Returns:
        The `openvino.Model`, its inputs and its outputs.

    Raises:
        ValueError: It is none, OpenVINO does not know what it does, or its weights lie in another
            file, which would be read unchecked from wherever the file says.
        ImportError: OpenVINO is not installed.
    """
    if _ELSEWHERE.search(content):
        raise ValueError("its weights lie in another file; export with external_data=False")
    openvino = open_openvino()
    try:
        network = openvino.Core().read_model(content)
    except Exception as error:  # OpenVINO raises many kinds
        raise ValueError(_told(error)) from error
    return network, [_port(each) for each in network.inputs], [_port(e) for e in network.outputs]


def _port(port: Any) -> Port:
    shape = port.partial_shape
    sizes = None
    if shape.rank.is_static:
        sizes = tuple(size.get_length() if size.is_static else None for size in shape)
    return Port(port.element_type.to_dtype().name, sizes)


def _told(error: Exception) -> str:
    """The line of an OpenVINO error that says something to a person."""
    lines = [line.strip() for line in str(error).splitlines()]
    telling = [line for line in lines if line and not line.startswith(_NOISE)]
    return (telling or ["OpenVINO cannot read it"])[0][:240].rstrip(".")
