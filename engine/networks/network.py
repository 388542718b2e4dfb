"""What every network has, and the checks that networks share."""

from typing import ClassVar

from torch import Tensor, nn

from engine.errors import ModelError


class Network(nn.Module):
    """A network that gives every pixel of an image a logit per class.

    Called with (b, in_channels, y, x) it gives (b, classes, y, x); a network of three dimensions
    takes (b, in_channels, z, y, x) and gives (b, classes, z, y, x), with any number of planes.

    Attributes:
        title: What it is and whose, in a few words.
        dimensions: 2 or 3.
        stride: y and x must be multiples of it. z is never pooled.
    """

    title: ClassVar[str]
    dimensions: ClassVar[int] = 2
    stride: int

    def forward_deep(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Give the logits, and what the deepest block makes of the image as a whole.

        Returns:
            Logits as by calling the network, and (b, f): the mean over space of the deepest
            block's activation, or None where the network gives none.
        """
        logits: Tensor = self(x)
        return logits, None


def check_widths(widths: tuple[int, ...], *, levels: int = 2) -> None:
    """Refuse widths that make no network.

    Args:
        widths: Channels of each level, the finest first.
        levels: The least number of levels.

    Raises:
        ModelError: There are too few levels, or one has no channel.
    """
    if len(widths) < levels or min(widths) < 1:
        raise ModelError(
            f"This network cannot have the widths {list(widths)}.",
            hint=f"Give {levels} levels or more, each with one channel or more.",
        )


def check_rate(rate: float) -> None:
    """Refuse a dropout rate outside [0, 1).

    Raises:
        ModelError: It is outside.
    """
    if not 0 <= rate < 1:
        raise ModelError(
            f"A dropout rate of {rate:g} is not possible.", hint="Give 0 or more and less than 1."
        )
