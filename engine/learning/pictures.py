"""Samples as pictures: grey values of the eye and class numbers, packed as plain arrays."""

import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

UNKNOWN = 255
"""Class number of a pixel whose label is not certain."""

_LOW, _HIGH = 1, 99  # percentiles of a picture that become black and white


@dataclass(frozen=True, slots=True, eq=False)
class SamplePictures:
    """Some samples of one size.

    Attributes:
        names: What each is called, (n,).
        images: As the network sees them, (n, y, x) uint8; (n, y, x, 3) of colours.
        labels: Class of each pixel, (n, y, x) uint8; `UNKNOWN` where it is not certain.
    """

    names: tuple[str, ...]
    images: NDArray[np.uint8] = field(repr=False)
    labels: NDArray[np.uint8] = field(repr=False)

    @classmethod
    def of(
        cls, samples: Iterable[tuple[str, "Tensor", "Tensor"]], colours: int
    ) -> "SamplePictures":
        """Pictures of samples; of volumes their middle slice, of neighbours the middle one.

        Args:
            samples: Name, image (c, [z,] y, x), bits ([z,] y, x).
            colours: Channels of a pixel.
        """
        names, images, labels = [], [], []
        for name, image, bits in samples:
            shown, known = image.numpy(), bits.numpy()
            if shown.ndim == 4:
                shown, known = shown[:, shown.shape[1] // 2], known[known.shape[0] // 2]
            first = (shown.shape[0] // colours // 2) * colours
            names.append(name)
            images.append(_shown(shown[first : first + colours]))
            labels.append(classes_of_bits(known))
        return cls(tuple(names), np.stack(images), np.stack(labels))

    def to_bytes(self) -> bytes:
        """All of it as a compressed file."""
        stream = io.BytesIO()
        names = np.array(self.names, dtype=np.str_)
        np.savez_compressed(stream, names=names, images=self.images, labels=self.labels)
        return stream.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> "SamplePictures":
        """What `to_bytes` gave.

        Raises:
            ValueError: It is something else.
        """
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as file:
                names = tuple(str(name) for name in file["names"])
                return cls(names, file["images"], file["labels"])
        except (KeyError, OSError, EOFError) as error:
            raise ValueError("these are no pictures of samples") from error


def classes_of_bits(bits: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Class number of each pixel, any shape; `UNKNOWN` where several are possible.

    Args:
        bits: Bit c is set where class c is possible.
    """
    table = np.full(256, UNKNOWN, np.uint8)
    for number in range(8):
        table[1 << number] = number
    return table[bits.astype(np.uint8)]


def _shown(image: NDArray[np.floating]) -> NDArray[np.uint8]:
    """(1, y, x) to (y, x), (3, y, x) to (y, x, 3), from black to white."""
    low, high = np.percentile(image, (_LOW, _HIGH))
    grey = np.clip((image - low) / (high - low or 1.0), 0, 1)
    shown: NDArray[np.uint8] = np.round(255 * grey).astype(np.uint8)
    return shown[0] if shown.shape[0] == 1 else np.moveaxis(shown, 0, -1)
