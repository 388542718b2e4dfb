"""Tiny ONNX files, written byte by byte, so that tests need no library that writes them.

The format is Protocol Buffers; field numbers are those of `onnx.proto3` (IR version 8, opset 17).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

FLOAT, DOUBLE = 1, 11
Shape = Sequence[int | str]
"""Sizes; a text is a size that may be anything."""


def pointwise_network(
    *,
    channels: int = 1,
    classes: int = 4,
    image: Shape | None = None,
    logits: Shape | None = None,
    softmax: bool = False,
    stride: int = 1,
    kind: int = FLOAT,
    bias: Sequence[float] | None = None,
    external: str = "",
) -> bytes:
    """A network whose last class is the brighter the pixel, by one 1 x 1 convolution.

    Args:
        channels: Of the image.
        classes: Of the answer.
        image: Shape of the input; (n, channels, y, x) with free n, y and x if None.
        logits: Shape of the output.
        softmax: Whether the answer is probabilities.
        stride: Of the convolution; other than 1 the answer is smaller than the image.
        kind: Of the input.
        bias: Of each class; half the range of grey for the last, if None.
        external: File that holds the weights, instead of this one.
    """
    free = ("n", channels, "y", "x")
    weights = np.zeros((classes, channels, 1, 1), np.float32)
    weights[-1, channels // 2] = 20.0
    offsets = np.zeros(classes, np.float32)
    offsets[-1] = -10.0
    if bias is not None:
        offsets[:] = bias
    nodes = []
    source = "image"
    if kind != FLOAT:
        nodes.append(_node("Cast", ["image"], ["cast"], to=FLOAT))
        source = "cast"
    answer = "scores" if softmax else "logits"
    nodes.append(_node("Conv", [source, "w", "b"], [answer], strides=[stride, stride]))
    if softmax:
        nodes.append(_node("Softmax", ["scores"], ["logits"], axis=1))
    graph = b"".join(
        (
            *(_field(1, node) for node in nodes),
            _field(2, b"pointwise"),
            _field(5, _tensor("w", weights, external)),
            _field(5, _tensor("b", offsets)),
            _field(11, _value("image", free if image is None else image, kind)),
            _field(12, _value("logits", ("n", classes, "y", "x") if logits is None else logits)),
        )
    )
    return _field(1, 8) + _field(7, graph) + _field(8, _field(1, b"") + _field(2, 17))


def _node(kind: str, inputs: list[str], outputs: list[str], **attributes: Any) -> bytes:
    parts = [_field(1, name.encode()) for name in inputs]
    parts += [_field(2, name.encode()) for name in outputs]
    parts.append(_field(4, kind.encode()))
    for name, value in attributes.items():
        several = isinstance(value, list)
        numbers = b"".join(_field(8, each) for each in value) if several else _field(3, value)
        parts.append(
            _field(5, _field(1, name.encode()) + numbers + _field(20, 7 if several else 2))
        )
    return b"".join(parts)


def _tensor(name: str, values: np.ndarray, external: str = "") -> bytes:
    dims = b"".join(_field(1, size) for size in values.shape)
    start = dims + _field(2, FLOAT) + _field(8, name.encode())
    if not external:
        return start + _field(9, values.tobytes())
    entry = _field(1, b"location") + _field(2, external.encode())
    return start + _field(13, entry) + _field(14, 1)


def _value(name: str, shape: Shape, kind: int = FLOAT) -> bytes:
    dims = b"".join(
        _field(1, _field(2, size.encode()) if isinstance(size, str) else _field(1, size))
        for size in shape
    )
    tensor = _field(1, _field(1, kind) + _field(2, dims))
    return _field(1, name.encode()) + _field(2, tensor)


def _field(number: int, content: int | bytes) -> bytes:
    if isinstance(content, int):
        return _varint(number << 3) + _varint(content)
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    done = b""
    while value > 0x7F:
        done += bytes([value & 0x7F | 0x80])
        value >>= 7
    return done + bytes([value])
