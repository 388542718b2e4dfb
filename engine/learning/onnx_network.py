"""Networks of others, as ONNX files: what such a file must keep to, and how it is run.

The contract, which docs/models.md explains to whoever makes one: one input, float32 (n, c, y, x),
prepared as the recipe's `data` and `image` sections say; one output, logits (n, k, y, x) for the
classes of the task in their order; n free or 1; y and x free, or those of `image.size` where
`image.fit` is crop or resize; the weights inside the file.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from engine.errors import ModelError
from engine.learning.execution.openvino_executor import OpenVINOExecutor
from engine.learning.execution.openvino_onnx import Port, read_onnx
from engine.recipe import Recipe

_AXES = ("n", "c", "y", "x")
_STRIDE = 32  # of most networks; [network.options] stride says otherwise
_SMALLEST = 64  # pixels a side in the trial run
_SUMS_TO_ONE = 1e-3


class OnnxNetwork(nn.Module):
    """A network of others. It always computes on the CPU, in 32 bits, wherever images come from.

    It is no `Network`, so that nobody tries to train or convert it, or to run it otherwise.

    Args:
        content: The ONNX file.
        recipe: What lies beside it.
        path: Where the file is, for what is said about it.

    Raises:
        ModelError: The file is damaged, or does not keep to the contract.

    Attributes:
        stride: y and x must be multiples of it.
        size: y and x that images must have; None where any will do.
        runs_in: What computes it, for the reader.
    """

    def __init__(self, content: bytes, recipe: Recipe, path: Path) -> None:
        super().__init__()
        check = _Contract(recipe, path)
        self.stride = check.stride
        try:
            converted, inputs, outputs = read_onnx(content)
        except ValueError as error:
            raise ModelError(
                f"The network in {path} cannot be used: {error}.",
                hint="Export it anew with torch.onnx.export; docs/models.md shows how.",
            ) from error
        except ImportError as error:
            raise ModelError(
                f"The network in {path} needs OpenVINO, which is not installed.",
                hint="Install it with `pip install openvino`, or choose another model.",
            ) from error
        check.refuse_ports(inputs, outputs)
        self.size = (inputs[0].shape or (None,) * 4)[2:]
        self._run = check.compile(converted)
        self.runs_in = self._run.title
        check.try_out(self._run)

    def forward(self, images: Tensor) -> Tensor:
        """Give the logits of every pixel, (n, classes, y, x), where the images are.

        Raises:
            ModelError: The network knows one size of image only, and these have another.
        """
        wanted = [need or size for need, size in zip(self.size, images.shape[2:], strict=True)]
        if wanted != list(images.shape[2:]):
            raise ModelError(
                f"The network sees images of {wanted[0]} x {wanted[1]} pixels only.",
                hint="Export it with free sizes (dynamic_axes) to use it for others.",
            )
        return self._run(images).logits.to(images.device, torch.float32)


class _Contract:
    """What a recipe asks of a network, and the sentences about one that does not keep to it."""

    def __init__(self, recipe: Recipe, path: Path) -> None:
        self._path = path
        self._recipe = recipe
        if recipe.data.sample != "slice":
            raise self._misfit(
                "the recipe gives it volumes, and networks of others see slices",
                'Set data.sample to "slice".',
            )
        self._fixed = recipe.image.fit != "patch"  # else whole slices, whatever their size
        self.stride = self._read_stride(recipe.network.options)

    def _read_stride(self, options: Mapping[str, Any]) -> int:
        """What the recipe says; 1 where every image has the recipe's own size."""
        stride = options.get("stride", _STRIDE)
        if set(options) - {"stride"} or not isinstance(stride, int) or stride < 1:
            raise self._misfit(
                f"its recipe has the network options {dict(options)}",
                "Only stride is one: the number that height and width must be multiples of.",
            )
        return 1 if self._fixed else stride

    def refuse_ports(self, inputs: list[Port], outputs: list[Port]) -> None:
        """Refuse inputs and outputs that do not fit, as far as the file tells without a run."""
        for ports, what in ((inputs, "input, the image"), (outputs, "output, the logits")):
            if len(ports) != 1:
                word = what.split(",")[0]
                raise self._misfit(
                    f"it has {len(ports)} {word}s; wanted is one {what}",
                    "Export the part of it that makes logits from one image.",
                )
            self._refuse_rank(ports[0], what)
        self._refuse_image(inputs[0])
        self._refuse_logits(outputs[0])

    def _refuse_rank(self, port: Port, what: str) -> None:
        if port.shape is not None and len(port.shape) != len(_AXES):
            raise self._misfit(
                f"its {what}, has {len(port.shape)} axes, not the four (n, c, y, x)",
                "Export it for batches of 2-D images with channels.",
            )

    def _refuse_image(self, port: Port) -> None:
        if port.kind != "float32":
            raise self._misfit(
                f"its image is {port.kind}, not float32", "Export it with a float32 input."
            )
        n, c, y, x = port.shape or (None,) * 4
        if c not in (None, self._recipe.in_channels):
            raise self._misfit(
                f"it takes {c} channels, but the recipe makes {self._recipe.in_channels} "
                "(data.neighbours times the colours of the task)",
                "Set data.neighbours to what it was trained with.",
            )
        if n not in (None, 1):
            raise self._misfit(
                f"it takes exactly {n} images at once",
                "Export it with a free first axis (dynamic_axes), or for one image.",
            )
        wanted = self._recipe.image.size if self._fixed else (None, None)
        if any(
            size is not None and size != need for size, need in zip((y, x), wanted, strict=True)
        ):
            raise self._other_size(y, x)

    def _other_size(self, y: int | None, x: int | None) -> ModelError:
        seen = f"{y or 'any'} x {x or 'any'}"
        if self._fixed:
            height, width = self._recipe.image.size
            return self._misfit(
                f"it takes images of {seen} pixels, but image.size is {height} x {width}",
                "Set image.size to what it was trained with.",
            )
        return self._misfit(
            f'it takes images of {seen} pixels only, but with image.fit = "patch" it would be '
            "shown whole slices",
            f"Set image.fit to crop or resize and image.size to [{y or 'height'}, {x or 'width'}], "
            "or export it with free sizes (dynamic_axes).",
        )

    def _refuse_logits(self, port: Port) -> None:
        if not port.kind.startswith("float"):
            raise self._misfit(
                f"its output is {port.kind}: labels, it seems, not logits",
                "Export it without the argmax at its end.",
            )
        if port.shape is not None:
            self._refuse_classes(port.shape[1])

    def _refuse_classes(self, found: int | None) -> None:
        classes, task = self._recipe.network.classes, self._recipe.task
        if found not in (None, classes):
            raise self._misfit(
                f"it gives {found} classes; {task.title.lower()} has {classes}: "
                f"{', '.join(task.classes)}",
                "Export it with these classes, in this order, as logits.",
            )

    def compile(self, converted: Any) -> OpenVINOExecutor:
        """Make it ready to run on the CPU, in 32 bits."""
        try:
            return OpenVINOExecutor(converted, precision="32", threads=torch.get_num_threads())
        except Exception as error:
            raise self._misfit(
                f"OpenVINO cannot run it: {str(error).strip().splitlines()[-1]}",
                "Export it with plain operations, those of opset 17 or earlier.",
            ) from error

    def try_out(self, run: OpenVINOExecutor) -> None:
        """Refuse a network that gives the wrong thing for an empty image."""
        if self._fixed:
            height, width = self._recipe.image.size
        else:
            height = -(-_SMALLEST // self.stride) * self.stride
            width = height + self.stride  # other than the height, so that swapped axes show
        size = f"{height} x {width}"
        image = torch.zeros(1, self._recipe.in_channels, height, width)
        try:
            logits = run(image).logits
        except Exception as error:
            raise self._misfit(
                f"it fails on an image of {size} pixels: {str(error).strip().splitlines()[-1]}",
                "If it needs multiples of some number, set stride in [network.options] to it.",
            ) from error
        if logits.ndim == len(_AXES):
            self._refuse_classes(logits.shape[1])
        wanted = (1, self._recipe.network.classes, height, width)
        if tuple(logits.shape) != wanted:
            raise self._misfit(
                f"for an image of {size} pixels it gives {tuple(logits.shape)}, not {wanted}",
                "It must give logits for every pixel of the image.",
            )
        self._refuse_values(logits)

    def _refuse_values(self, logits: Tensor) -> None:
        if not logits.isfinite().all():
            raise self._misfit(
                "for an empty image it gives values that are no numbers",
                "Export it anew, in evaluation mode (network.eval()).",
            )
        sums = logits.sum(dim=1)
        shares = bool((logits >= 0).all()) and bool(((sums - 1).abs() < _SUMS_TO_ONE).all())
        if shares and logits.shape[1] > 1:
            raise self._misfit(
                "it gives probabilities, not logits",
                "Export it without the softmax at its end.",
            )

    def _misfit(self, what: str, hint: str) -> ModelError:
        return ModelError(
            f"The network in {self._path} does not fit its recipe: {what}.", hint=hint
        )
