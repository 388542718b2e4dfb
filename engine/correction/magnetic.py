"""Lines that cling to edges between two clicks: the magnetic contour.

A live wire (Mortensen and Barrett 1998): the cheapest path through an image in which steps along
edges cost little, then moved to the crest of the gradient between the voxels. What counts as the
edge is learned from both ends of the path: edges of the same grey level are followed (that of the
endocardium lies between blood and muscle, that of the epicardium between muscle and lung or fat)
and edges much stronger than those at the ends are not, so that the wire does not jump from one
border of the wall to the other. On expert contours this halves its distance from them.
"""

import numpy as np
from numpy.typing import NDArray

from engine.correction.outline import Points

Place = tuple[float, float]
"""(y, x) in voxels; whole numbers are voxel centres."""

_EDGE_MM = 1.2  # blur at which edges are looked for
_CHEAPEST = 0.03  # cost of a mm along the strongest edge; 1 where there is none
_LOCAL_MM = 25.0  # edges count by their strength among those within about this distance
_ROOM_MM = 15.0  # around both ends in which the path may go
_ROOM_SHARE = 0.5  # and this share of their distance
_MOST_VOXELS = 16_000  # of a window; larger ones would not keep 20 ms
_SAME_GREY = 0.1  # of the range between the 1st and 99th percentile: standard deviation
_SAME_SLOPE = 0.7  # natural logarithm: standard deviation ...
_FREE_SLOPE = 0.5  # ... beyond this
_LEAST_SLOPE = 0.007  # of the range per mm
_DETOUR = 0.5  # at this share of the ends' distance from the straight line, steps cost double
_SMOOTHING = 1.5  # steps along the path
_SNAP = 1.0  # voxels to both sides of the path in which the crest is looked for


class EdgeMap:
    """The edges of one slice, prepared once for many paths."""

    def __init__(self, grey: NDArray[np.generic], spacing_mm: tuple[float, float]) -> None:
        """Find the edges of a slice.

        Args:
            grey: The image, (y, x).
            spacing_mm: In-plane voxel distance (y, x) [mm].
        """
        from scipy import ndimage

        values = np.asarray(grey, np.float32)
        low, high = (float(value) for value in np.percentile(values, [1, 99]))
        values = (values - low) / max(high - low, 1e-6)
        blur = [_EDGE_MM / mm for mm in spacing_mm]
        down = ndimage.gaussian_filter(values, blur, order=(1, 0)) / spacing_mm[0]
        right = ndimage.gaussian_filter(values, blur, order=(0, 1)) / spacing_mm[1]
        slope = np.hypot(down, right)
        # Relative to the edges nearby, at least a tenth of the whole image's: noise stays weak.
        size = [int(2 * _LOCAL_MM / mm) | 1 for mm in spacing_mm]
        nearby = np.sqrt(np.maximum(ndimage.uniform_filter(slope**2, size), 0))
        floor = 0.1 * float(np.sqrt(np.mean(slope**2)))
        scale = 2.0 * np.maximum(nearby, max(floor, 1e-12))
        self._spacing_mm = spacing_mm
        self._strength: Points = np.minimum(slope / scale, 1.0).astype(np.float64)
        self._slope: Points = slope.astype(np.float64)
        self._grades: Points = ndimage.gaussian_filter(values, blur).astype(np.float64)

    def path(self, start: Place, end: Place) -> Points:
        """The line between two places that follows the edges.

        Args:
            start: (y, x) [voxels]; places outside the image are taken to its border.
            end: As `start`.

        Returns:
            (n, 2) of (y, x) [voxels], `start` and `end` included, sub-pixel, n >= 2, points
            about one voxel apart.
        """
        window = self._window(start, end)
        corner = (window[0].start, window[1].start)
        first, last = self._inside(start) - corner, self._inside(end) - corner
        costs = self._costs(window, first, last)
        steps = _cheapest(costs, first, last, self._spacing_mm) + corner
        if len(steps) > 2:
            steps = _smoothed(self._snapped(_smoothed(steps.astype(np.float64))))
        ends = np.array([start, end], np.float64)
        return np.vstack([ends[:1], steps[1:-1], ends[1:]])

    def _inside(self, place: Place) -> NDArray[np.intp]:
        last = np.array(self._strength.shape) - 1
        return np.asarray(np.clip(np.round(place), 0, last), np.intp)

    def _window(self, start: Place, end: Place) -> tuple[slice, slice]:
        """Where a path may go."""
        ends = np.stack([self._inside(start), self._inside(end)])
        apart_mm = float(np.hypot(*((ends[1] - ends[0]) * self._spacing_mm)))
        room = np.array([(_ROOM_MM + _ROOM_SHARE * apart_mm) / mm for mm in self._spacing_mm])
        while True:
            low = np.maximum(ends.min(axis=0) - room.astype(int), 0)
            high = np.minimum(ends.max(axis=0) + room.astype(int) + 1, self._strength.shape)
            if np.prod(high - low) <= _MOST_VOXELS or room.max() < 2:
                break
            room = room * 0.8
        return slice(int(low[0]), int(high[0])), slice(int(low[1]), int(high[1]))

    def _costs(
        self, window: tuple[slice, slice], first: NDArray[np.intp], last: NDArray[np.intp]
    ) -> Points:
        """Cost of a mm in each voxel of a window in which the path's ends lie."""
        slope, grades = self._slope[window], self._grades[window]
        ends = [tuple(first), tuple(last)]
        apart = np.min([np.abs(grades - grades[end]) for end in ends], axis=0)
        alike = np.exp(-0.5 * (apart / _SAME_GREY) ** 2)
        usual = max(_LEAST_SLOPE, *(float(slope[end]) for end in ends))
        steeper = np.log((slope + _LEAST_SLOPE / 2) / usual) - _FREE_SLOPE
        alike *= np.exp(-0.5 * (np.maximum(steeper, 0) / _SAME_SLOPE) ** 2)
        costs = _CHEAPEST + (1 - self._strength[window] * alike) ** 2 * (1 - _CHEAPEST)

        spacing = np.array(self._spacing_mm)
        chord = (last - first) * spacing
        length = max(float(np.hypot(*chord)), float(spacing.min()))
        rows, columns = np.indices(slope.shape)
        off = chord[0] * (columns - first[1]) * spacing[1]
        off = np.abs(off - chord[1] * (rows - first[0]) * spacing[0]) / length
        return np.asarray(costs * (1 + (off / (_DETOUR * length)) ** 2), np.float64)

    def _snapped(self, steps: Points) -> Points:
        """Inner points moved across the path to the nearest crest of the gradient."""
        from scipy.ndimage import map_coordinates

        along = np.gradient(steps, axis=0)
        length = np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-9)
        across = np.stack([-along[:, 1], along[:, 0]], axis=1) / length[:, None]
        offsets = np.linspace(-_SNAP, _SNAP, 9)
        places = steps[:, None] + offsets[None, :, None] * across[:, None]
        strength = map_coordinates(self._strength, np.moveaxis(places, 2, 0), order=1)
        # The centre of mass of what stands out is steadier than the highest sample.
        weight = (strength - strength.min(axis=1, keepdims=True)) ** 2 + 1e-6
        shift = (weight * offsets).sum(axis=1) / weight.sum(axis=1)
        return np.asarray(steps + shift[:, None] * across)


def _cheapest(
    costs: Points,
    start: NDArray[np.intp],
    end: NDArray[np.intp],
    spacing_mm: tuple[float, float],
) -> NDArray[np.intp]:
    """Voxels of the cheapest path, (n, 2)."""
    from skimage.graph import MCP_Geometric

    paths = MCP_Geometric(costs, sampling=spacing_mm)
    paths.find_costs([start.tolist()], [end.tolist()])
    return np.asarray(paths.traceback(end.tolist()), np.intp)


def _smoothed(steps: Points) -> Points:
    """A path without its stairs; the ends stay."""
    from scipy.ndimage import gaussian_filter1d

    smooth = gaussian_filter1d(steps, _SMOOTHING, axis=0, mode="nearest")
    smooth[[0, -1]] = steps[[0, -1]]
    return np.asarray(smooth)
