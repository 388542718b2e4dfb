"""A closed surface of triangles."""

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Part(IntEnum):
    """What a vertex of a structure's surface lies on."""

    OUTER = 0
    """The structure's own outside; of the myocardium the epicardium."""
    INNER = 1
    """The inside of a wall; of the myocardium the endocardium."""
    CAP = 2
    """A plane where the labels of a stack end; no border of the heart."""


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """A closed surface of triangles, seen from outside.

    Attributes:
        vertices_mm: Patient coordinates (right, anterior, superior) [mm], (n, 3) float32.
        faces: Numbers of the three corners of each triangle, (m, 3), turning left as seen from
            outside.
        parts: The `Part` of every vertex, (n,) uint8; None where it is not known.
    """

    vertices_mm: NDArray[np.float32] = field(repr=False)
    faces: NDArray[np.int64] = field(repr=False)
    parts: NDArray[np.uint8] | None = field(default=None, repr=False)

    @property
    def volume_ml(self) -> float:
        """The enclosed volume [ml], by the divergence theorem."""
        return self.volume_and_area()[0]

    def volume_and_area(self) -> tuple[float, float]:
        """The enclosed volume [ml], by the divergence theorem, and the area [mm^2]."""
        if len(self.faces) == 0:
            return 0.0, 0.0
        middle = self.vertices_mm.mean(axis=0, dtype=np.float64)
        x, y, z = (self.vertices_mm - middle).T.astype(np.float64)
        a, b, c = np.ascontiguousarray(self.faces.T)
        x0, y0, z0 = x[a], y[a], z[a]
        x1, y1, z1, x2, y2, z2 = x[b] - x0, y[b] - y0, z[b] - z0, x[c] - x0, y[c] - y0, z[c] - z0
        across = (y1 * z2 - z1 * y2, z1 * x2 - x1 * z2, x1 * y2 - y1 * x2)  # twice the area
        volume_mm3 = (x0 @ across[0] + y0 @ across[1] + z0 @ across[2]) / 6
        doubled_mm2 = np.sqrt(across[0] ** 2 + across[1] ** 2 + across[2] ** 2)
        return float(volume_mm3) / 1000, float(doubled_mm2.sum()) / 2
