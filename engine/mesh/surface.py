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
    def bounds_mm(self) -> NDArray[np.float32]:
        """The upright box round all vertices: its lowest and its highest corner, (2, 3)."""
        ends = [(column.min(), column.max()) for column in self.vertices_mm.T]
        return np.array(ends, np.float32).T

    @property
    def volume_ml(self) -> float:
        """The enclosed volume [ml], by the divergence theorem: columns down to one plane."""
        if len(self.faces) == 0:
            return 0.0
        (x, y, z), (a, b, c) = self._from_first_vertex(), np.ascontiguousarray(self.faces.T)
        x0, y0 = x[a], y[a]
        doubled_mm2 = (x[b] - x0) * (y[c] - y0) - (x[c] - x0) * (y[b] - y0)
        return float(doubled_mm2 @ (z[a] + z[b] + z[c])) / 6000

    @property
    def area_mm2(self) -> float:
        """The area of all triangles [mm^2]."""
        if len(self.faces) == 0:
            return 0.0
        (x, y, z), (a, b, c) = self._from_first_vertex(), np.ascontiguousarray(self.faces.T)
        x0, y0, z0 = x[a], y[a], z[a]
        x1, y1, z1, x2, y2, z2 = x[b] - x0, y[b] - y0, z[b] - z0, x[c] - x0, y[c] - y0, z[c] - z0
        across = (y1 * z2 - z1 * y2, z1 * x2 - x1 * z2, x1 * y2 - y1 * x2)
        return float(np.sqrt(across[0] ** 2 + across[1] ** 2 + across[2] ** 2).sum()) / 2

    def _from_first_vertex(self) -> NDArray[np.float64]:
        """The vertices (3, n) from the first of them: no digits are lost far from the origin."""
        places = np.ascontiguousarray(self.vertices_mm.T, dtype=np.float64)
        return places - places[:, :1]
