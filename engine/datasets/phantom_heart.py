"""The shape of the phantom heart: every size in millimetres, every volume by formula."""

from collections.abc import Callable
from dataclasses import dataclass
from math import acos, cos, pi, radians, sin, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

_APICAL_WALL = 0.35  # the wall at the apex is a third of that at the equator
_RV_LENGTH = 0.88  # the RV ends short of the LV's apex
_GAUSS_NODES, _GAUSS_WEIGHTS = np.polynomial.legendre.leggauss(48)


def truncated_ellipsoid_ml(*, radius_mm: float, apical_mm: float, basal_mm: float) -> float:
    """Volume of an ellipsoid of revolution between its apex and a plane above its equator [ml].

    Integral of pi r^2 (1 - z^2 / l^2) from z = -b (base) to z = l (apex):
    pi r^2 [(l + b) - (l^3 + b^3) / (3 l^2)]; a half ellipsoid (b = 0) gives 2/3 pi r^2 l.

    Args:
        radius_mm: r, the radius at the equator.
        apical_mm: l, from the equator to the apex.
        basal_mm: b, from the equator to the base plane.
    """
    return pi * radius_mm**2 * _disc_length_mm(apical_mm, basal_mm) / 1000


def _disc_length_mm(apical_mm: float, basal_mm: float) -> float:
    """Length of the cylinder of equal radius and volume [mm]."""
    return (apical_mm + basal_mm) - (apical_mm**3 + basal_mm**3) / (3 * apical_mm**2)


def crescent_mm2(*, outer_mm: float, inner_mm: float, apart_mm: float) -> float:
    """Area of a disc less its overlap with another disc [mm^2].

    The overlap is the lens of two circles (Weisstein, Circle-Circle Intersection, MathWorld,
    equation 14).

    Args:
        outer_mm: Radius of the disc that is measured.
        inner_mm: Radius of the disc that is taken away.
        apart_mm: Distance between their centres.
    """
    a, b, d = outer_mm, inner_mm, apart_mm
    if d >= a + b:
        return pi * a**2
    if d <= abs(a - b):
        return pi * max(a**2 - b**2, 0.0)
    lens = a**2 * acos((d**2 + a**2 - b**2) / (2 * d * a))
    lens += b**2 * acos((d**2 + b**2 - a**2) / (2 * d * b))
    lens -= 0.5 * sqrt((a + b - d) * (d + a - b) * (d - a + b) * (d + a + b))
    return pi * a**2 - lens


@dataclass(frozen=True, slots=True)
class PhantomHeart:
    """Everything that was drawn from the seed about one heart; the rest follows by formula.

    The LV cavity and the epicardium are truncated ellipsoids of revolution (closed form), the
    RV is a stack of crescents (closed-form area, 48-point Gauss-Legendre sum over depth, which
    is converged to better than 0.01 ml). The myocardium keeps its volume through the beat. The
    border of the cavity is wavy, the cross-section is stretched and the long axis is oblique;
    none of these changes a volume.

    Attributes:
        radius_mm: LV cavity at its equator, end diastole.
        length_mm: LV cavity from base plane to apex, end diastole.
        truncation: Base plane above the equator, as part of the apical length.
        wall_mm: Wall at the equator, end diastole.
        ejection_fraction: Of the LV, 0..1.
        rv_ejection_fraction: Of the RV, 0..1.
        rv_stroke_ratio: RV stroke volume over LV stroke volume.
        septum_deg: Direction from the LV's centre to the RV's in the picture, 0 = right,
            90 = down.
        stretch: Cross-section is this much longer along the septum, and as much narrower across.
        waviness: Amplitudes of the 2nd, 3rd and 5th harmonic of the cavity's border.
        wave_phase: Their angles [rad].
        tilt: In-plane drift (x, y) of the long axis per mm of depth.
        heart_rate_bpm: Beats per minute.
    """

    radius_mm: float
    length_mm: float
    truncation: float
    wall_mm: float
    ejection_fraction: float
    rv_ejection_fraction: float
    rv_stroke_ratio: float
    septum_deg: float
    stretch: float
    waviness: tuple[float, float, float]
    wave_phase: tuple[float, float, float]
    tilt: tuple[float, float]
    heart_rate_bpm: float

    @property
    def ed_ml(self) -> float:
        """LV cavity at end diastole [ml]."""
        basal, apical = self._split(self.length_mm)
        return truncated_ellipsoid_ml(radius_mm=self.radius_mm, apical_mm=apical, basal_mm=basal)

    @property
    def es_ml(self) -> float:
        """LV cavity at end systole [ml]."""
        return self.ed_ml * (1 - self.ejection_fraction)

    @property
    def myocardium_ml(self) -> float:
        """LV wall, the same in every phase [ml]."""
        basal, apical = self._split(self.length_mm)
        epicardium_ml = truncated_ellipsoid_ml(
            radius_mm=self.radius_mm + self.wall_mm,
            apical_mm=apical + _APICAL_WALL * self.wall_mm,
            basal_mm=basal,
        )
        return epicardium_ml - self.ed_ml

    @property
    def rv_ed_ml(self) -> float:
        """RV cavity at end diastole [ml]."""
        stroke_ml = self.rv_stroke_ratio * (self.ed_ml - self.es_ml)
        return stroke_ml / self.rv_ejection_fraction

    @property
    def rv_es_ml(self) -> float:
        """RV cavity at end systole [ml]."""
        return self.rv_ed_ml * (1 - self.rv_ejection_fraction)

    def _split(self, length_mm: float) -> tuple[float, float]:
        """Basal and apical part of a cavity's length [mm]."""
        apical_mm = length_mm / (1 + self.truncation)
        return length_mm - apical_mm, apical_mm

    def shape_at(self, emptied: float, *, base_ed_mm: float, descent_mm: float) -> "HeartShape":
        """The heart when `emptied` (0 = end diastole, 1 = end systole) of the stroke is gone.

        Args:
            emptied: Part of the stroke volume that has been ejected, 0..1.
            base_ed_mm: Depth of the base plane at end diastole, from the top of the stack.
            descent_mm: How far the base comes down by end systole; the apex stays.
        """
        cavity_ml = self.ed_ml + emptied * (self.es_ml - self.ed_ml)
        rv_ml = self.rv_ed_ml + emptied * (self.rv_es_ml - self.rv_ed_ml)
        basal, apical = self._split(self.length_mm - emptied * descent_mm)
        radius_mm = sqrt(cavity_ml * 1000 / (pi * _disc_length_mm(apical, basal)))
        wall_mm = _root(
            lambda wall: (
                truncated_ellipsoid_ml(
                    radius_mm=radius_mm + wall,
                    apical_mm=apical + _APICAL_WALL * wall,
                    basal_mm=basal,
                )
                - cavity_ml
                - self.myocardium_ml
            ),
            (0.0, 60.0),
        )
        base_mm = base_ed_mm + emptied * descent_mm

        def shape(rv_width_mm: float) -> HeartShape:
            return HeartShape(base_mm, basal, apical, radius_mm, wall_mm, rv_width_mm)

        width_mm = _root(lambda width: shape(width).rv_ml - rv_ml, (0.0, 120.0))
        return shape(width_mm)

    def border(self, angle: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
        """Factor on the cavity's radius at each angle [rad]; the mean of its square is 1."""
        wave = np.ones_like(angle)
        for order, size, phase in zip((2, 3, 5), self.waviness, self.wave_phase, strict=True):
            wave += np.float32(size) * np.cos(order * angle + np.float32(phase))
        norm = sqrt(1 + sum(size**2 for size in self.waviness) / 2)
        return wave / np.float32(norm)

    @property
    def septum(self) -> tuple[float, float]:
        """Unit vector (x, y) from the LV's centre to the RV's."""
        return cos(radians(self.septum_deg)), sin(radians(self.septum_deg))


@dataclass(frozen=True, slots=True)
class HeartShape:
    """The heart at one moment; depths are measured from the top of the stack [mm]."""

    base_mm: float
    basal_mm: float
    apical_mm: float
    radius_mm: float
    wall_mm: float
    rv_width_mm: float

    @property
    def cavity_ml(self) -> float:
        """LV cavity, closed form [ml]."""
        return truncated_ellipsoid_ml(
            radius_mm=self.radius_mm, apical_mm=self.apical_mm, basal_mm=self.basal_mm
        )

    @property
    def rv_ml(self) -> float:
        """RV cavity: closed-form crescents, summed over depth by Gauss-Legendre [ml]."""
        length_mm = self.rv_length_mm
        depths = self.base_mm + length_mm * (_GAUSS_NODES + 1) / 2
        areas = [
            crescent_mm2(outer_mm=outer, inner_mm=self.epicardium_radius_mm(d), apart_mm=apart)
            for d in depths
            for outer, apart in [self.rv_circle_mm(d)]
        ]
        return float(np.dot(areas, _GAUSS_WEIGHTS)) * length_mm / 2 / 1000

    @property
    def length_mm(self) -> float:
        """Base plane to the LV's epicardial apex [mm]."""
        return self.basal_mm + self.apical_mm + _APICAL_WALL * self.wall_mm

    @property
    def rv_length_mm(self) -> float:
        """Base plane to the RV's apex [mm]."""
        return _RV_LENGTH * self.length_mm

    def cavity_radius_mm(self, depth_mm: float) -> float:
        """Mean radius of the LV cavity at a depth; 0 outside it."""
        return self._radius(depth_mm, self.radius_mm, self.apical_mm)

    def epicardium_radius_mm(self, depth_mm: float) -> float:
        """Radius of the LV's outer border at a depth; 0 outside it."""
        return self._radius(
            depth_mm,
            self.radius_mm + self.wall_mm,
            self.apical_mm + _APICAL_WALL * self.wall_mm,
        )

    def rv_circle_mm(self, depth_mm: float) -> tuple[float, float]:
        """Radius of the RV's free wall and its distance from the LV's centre [mm]."""
        part = (depth_mm - self.base_mm) / self.rv_length_mm
        if not 0 <= part <= 1:
            return 0.0, 0.0
        inner = self.epicardium_radius_mm(depth_mm)
        width = self.rv_width_mm * (1 - part**1.6) ** 0.8
        # So curved, the RV embraces 125 to 140 degrees of the LV whatever its width.
        outer = inner * (0.85 + 0.22 * min(width / inner, 1.0)) if inner else 0.0
        return outer, inner + width - outer

    def _radius(self, depth_mm: float, radius_mm: float, apical_mm: float) -> float:
        from_equator = depth_mm - self.base_mm - self.basal_mm
        if not -self.basal_mm <= from_equator <= apical_mm:
            return 0.0
        return radius_mm * sqrt(max(1 - (from_equator / apical_mm) ** 2, 0.0))


def _root(function: Callable[[float], float], between: tuple[float, float]) -> float:
    """Where a rising function crosses zero, to the last bit that matters here."""
    low, high = between
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if function(middle) > 0 else (middle, high)
    return (low + high) / 2


def emptied_fraction(time: float, *, systole: float) -> float:
    """Part of the stroke that has left the ventricle at a time in the beat.

    Ejection is a half cosine; filling has the early wave, the pause and the atrial kick of a
    healthy beat.

    Args:
        time: 0..1 of the beat, 0 at end diastole.
        systole: Time of end systole, 0..1.
    """
    if time <= systole:
        return (1 - cos(pi * time / systole)) / 2
    filling = (time - systole) / (1 - systole)
    early = _smooth_step(filling / 0.50)
    pause = min(max((filling - 0.40) / 0.40, 0.0), 1.0)
    kick = _smooth_step((filling - 0.72) / 0.28)
    return 1 - (0.70 * early + 0.08 * pause + 0.22 * kick)


def _smooth_step(part: float) -> float:
    part = min(max(part, 0.0), 1.0)
    return part * part * (3 - 2 * part)


def draw_heart(random: np.random.Generator) -> PhantomHeart:
    """A heart with adult sizes and an ejection fraction between 35 and 65 %."""
    between = random.uniform
    ejection_fraction = float(between(0.35, 0.65))
    return PhantomHeart(
        radius_mm=float(between(22.5, 27.5)),
        length_mm=float(between(78, 90)),
        truncation=float(between(0.30, 0.42)),
        wall_mm=float(between(8.0, 10.0)),
        ejection_fraction=ejection_fraction,
        rv_ejection_fraction=float(np.clip(ejection_fraction + between(-0.06, 0.03), 0.35, 0.6)),
        rv_stroke_ratio=float(between(0.95, 1.05)),
        septum_deg=float(between(-135, -110)),
        stretch=float(between(0.97, 1.05)),
        waviness=(float(between(0, 0.02)), float(between(0, 0.02)), float(between(0, 0.015))),
        wave_phase=tuple(between(0, 2 * pi, 3).tolist()),
        tilt=(float(between(-0.04, 0.06)), float(between(-0.02, 0.05))),
        heart_rate_bpm=float(between(55, 85)),
    )
