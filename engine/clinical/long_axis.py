"""The left atrium on long-axis views: which view is which, its border, its annulus."""

import re
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from engine.clinical.left_atrium import AtriumContour
from engine.errors import UnmeasurableError
from engine.geometry import Geometry
from engine.labelmap import LabelMap
from engine.review.landmarks import ChamberView, PairKind, Point, PointPair
from engine.review.states import Review
from engine.structures import Structure
from engine.study import Stack, Study
from engine.turning import is_oriented

_TWO = re.compile(
    r"(?<!\d)2\W{0,2}(ch|kammer|chamber|cav|c\b)|two\W?chamber|\bvla\b", re.IGNORECASE
)
_FOUR = re.compile(
    r"(?<!\d)4\W{0,2}(ch|kammer|chamber|cav|c\b)|four\W?chamber|\bhla\b", re.IGNORECASE
)
_LEAST_WAY_MM = 5.0  # a ventricle nearer than that to the atrium's middle gives no direction


@dataclass(frozen=True, slots=True, eq=False)
class DrawnView:
    """A long-axis view with what is drawn on it.

    Attributes:
        index: Of the view among `Study.views`.
        stack: The view, of one slice.
        labels: On its grid.
        review: Gives the reader's hinge points and which view it is.
    """

    index: int
    stack: Stack
    labels: LabelMap = field(repr=False)
    review: Review = field(default_factory=Review)

    @property
    def chambers(self) -> ChamberView:
        """Which chambers it cuts: as the reader says, else as its name does."""
        return self.review.view or guess_view(self.stack.cine.name)


@dataclass(frozen=True, slots=True, eq=False)
class AtriumPlane:
    """The left atrium on one phase of a view.

    Attributes:
        phase: 0-based.
        contour: Its border and annulus [mm].
        annulus: Both hinge points, (y, x) in voxels.
        by_reader: Whether a reader put them.
    """

    phase: int
    contour: AtriumContour
    annulus: tuple[Point, Point]
    by_reader: bool


@dataclass(frozen=True, eq=False)
class AtriumView:
    """The left atrium on one view.

    Attributes:
        drawn: The view.
        planes: Of every phase in which it can be measured.
        why_not: Why some phase cannot; empty where all can.
    """

    drawn: DrawnView
    planes: tuple[AtriumPlane, ...]
    why_not: str = ""

    @property
    def is_approved(self) -> bool:
        """Whether a reader called both contours right that the volumes come from."""
        approved = self.drawn.review.approved
        return all((each.phase, 0) in approved for each in (self.largest, self.smallest))

    @cached_property
    def largest(self) -> AtriumPlane:
        """The phase with the largest area."""
        return max(self.planes, key=lambda each: each.contour.area_mm2)

    @cached_property
    def smallest(self) -> AtriumPlane:
        """The phase with the smallest area."""
        return min(self.planes, key=lambda each: each.contour.area_mm2)


def guess_view(name: str) -> ChamberView:
    """Which chambers a view cuts, by the name of its series."""
    plain = name.replace("_", " ")
    two, four = bool(_TWO.search(plain)), bool(_FOUR.search(plain))
    if two == four:
        return ChamberView.OTHER
    return ChamberView.TWO if two else ChamberView.FOUR


def drawn_views(study: Study, now: DrawnView | None = None) -> list[DrawnView]:
    """The long-axis views of a study with a left atrium, as stored or as they are now.

    Args:
        study: With its labels.
        now: A view on the screen, whose labels go before those that are stored.
    """
    found = []
    for index, stack in enumerate(study.views):
        if now is not None and now.index == index:
            each = now
        else:
            stored = next(iter(study.labels_of(index)), None)
            if stored is None:
                continue
            each = DrawnView(index, stack, stored.labels, stored.review)
        alone = stack.cine.slice_count == 1 and stack.size_known
        if alone and (each.labels.voxels == Structure.LEFT_ATRIUM).any():
            found.append(each)
    return found


def ventricle_mm(study: Study) -> NDArray[np.float64] | None:
    """Where the left ventricle lies: its middle where it is drawn, else that of the short axis.

    Returns:
        Patient coordinates (right, anterior, superior) [mm], (3,); None where no short axis tells.
    """
    for index, stack in enumerate(study.stacks):
        geometry = stack.cine.geometry
        if stack.cine.slice_count < 2 or not is_oriented(geometry):
            continue
        stored = next(iter(study.labels_of(index)), None)
        z, y, x = ((length - 1) / 2 for length in geometry.shape)
        masks = () if stored is None else (each == Structure.LV for each in stored.labels.voxels)
        drawn = [np.argwhere(mask) for mask in masks if mask.any()]
        if drawn:
            z, y, x = (float(part) for part in np.concatenate(drawn).mean(axis=0))
        return geometry.position_mm(z=z, y=y, x=x)
    return None


def measure_view(view: DrawnView, ventricle: NDArray[np.float64] | None) -> AtriumView:
    """The left atrium in every phase of a view in which it is drawn.

    Args:
        view: What is drawn.
        ventricle: See `ventricle_mm`.
    """
    phases = np.flatnonzero(
        (view.labels.voxels == Structure.LEFT_ATRIUM).any(axis=(1, 2, 3))
    ).tolist()
    planes, reasons = [], []
    for phase in phases:
        try:
            planes.append(measure_plane(view, phase, ventricle))
        except UnmeasurableError as error:
            reasons.append(f"{error.what} {error.hint}")
    return AtriumView(view, tuple(planes), next(iter(reasons), ""))


def measure_plane(
    view: DrawnView, phase: int, ventricle: NDArray[np.float64] | None
) -> AtriumPlane:
    """The left atrium of one phase of a view.

    Args:
        view: What is drawn.
        phase: In which it is drawn, 0-based.
        ventricle: See `ventricle_mm`.

    Raises:
        UnmeasurableError: Nobody put the hinge points and no ventricle says where they lie.
    """
    geometry = view.labels.geometry
    _, y_mm, x_mm = geometry.spacing_mm
    border = border_mm(view.labels.voxels[phase, 0] == Structure.LEFT_ATRIUM, geometry)
    put = _put_by_reader(view.review, phase)
    if put is not None:
        ends = (put.first, put.second)
    else:
        ends = _found_annulus(view, phase, border, ventricle)
    (y1, x1), (y2, x2) = ends
    annulus_mm = ((y1 * y_mm, x1 * x_mm), (y2 * y_mm, x2 * x_mm))
    return AtriumPlane(phase, AtriumContour(border, annulus_mm), ends, put is not None)


def _put_by_reader(review: Review, phase: int) -> PointPair | None:
    pairs = review.pairs_of(PairKind.ANNULUS)
    return next((each for each in pairs if each.place == (phase, 0)), None)


def border_mm(mask: NDArray[np.bool_], geometry: Geometry) -> NDArray[np.float64]:
    """The outer border of the largest piece of a mask, (n, 2) as (y, x) [mm], in order.

    It runs halfway between voxels inside and outside, so that its area is that of the voxels but
    for the cut corners.

    Args:
        mask: (y, x), not empty.
        geometry: Gives the size of a pixel.
    """
    from skimage.measure import find_contours

    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    cut = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    paths = find_contours(np.pad(cut, 1).astype(np.float64), 0.5)  # type: ignore[no-untyped-call]
    path = max(paths, key=_area)
    _, y_mm, x_mm = geometry.spacing_mm
    placed = path[:-1] + np.array([int(rows[0]) - 1, int(columns[0]) - 1])
    return np.asarray(placed * (y_mm, x_mm), np.float64)


def _area(path: NDArray[np.float64]) -> float:
    y, x = path.T
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)


def _found_annulus(
    view: DrawnView,
    phase: int,
    border: NDArray[np.float64],
    ventricle: NDArray[np.float64] | None,
) -> tuple[Point, Point]:
    """Both hinge points (y, x) in voxels, from where the ventricle lies.

    Raises:
        UnmeasurableError: Nobody knows where it lies.
    """
    towards = _way_to_ventricle(view, phase, border.mean(axis=0), ventricle)
    if towards is None:
        raise UnmeasurableError(
            "The mitral annulus is not known.",
            hint="Put both hinge points of the mitral valve, or draw the LV on this view.",
        )
    _, y_mm, x_mm = view.labels.geometry.spacing_mm
    first, second = ((y / y_mm, x / x_mm) for y, x in find_annulus_mm(border, towards))
    return first, second


def _way_to_ventricle(
    view: DrawnView,
    phase: int,
    middle_mm: NDArray[np.float64],
    ventricle: NDArray[np.float64] | None,
) -> NDArray[np.float64] | None:
    """From the middle of the atrium to the ventricle in the picture, (y, x) [mm]."""
    geometry = view.labels.geometry
    drawn = np.argwhere(view.labels.voxels[phase, 0] == Structure.LV)
    if len(drawn):
        place = drawn.mean(axis=0)
    elif ventricle is not None and is_oriented(geometry):
        x, y, _, _ = np.linalg.solve(geometry.affine, [*ventricle, 1.0])
        place = np.array([y, x])
    else:
        return None
    way = place * geometry.spacing_mm[1:] - middle_mm
    return way if np.linalg.norm(way) >= _LEAST_WAY_MM else None


def find_annulus_mm(
    border: NDArray[np.float64], towards: NDArray[np.float64]
) -> tuple[tuple[float, float], tuple[float, float]]:
    """The two corners of a contour on the side of the ventricle, each (y, x) [mm].

    A contour of the left atrium is closed by a straight line between the hinge points, whose
    corners reach furthest in the directions half-way between that to the ventricle and those
    across it.

    Args:
        border: (n, 2), in (y, x) [mm].
        towards: The direction to the ventricle, (2,).
    """
    along = towards / np.linalg.norm(towards)
    across = np.array([-along[1], along[0]])
    one, other = (border[np.argmax(border @ (along + side * across))] for side in (1, -1))
    return (float(one[0]), float(one[1])), (float(other[0]), float(other[1]))
