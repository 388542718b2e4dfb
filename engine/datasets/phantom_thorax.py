"""What lies around the phantom heart in a short-axis slice: chest wall, lungs, liver, aorta."""

from dataclasses import dataclass
from math import cos, pi, sin
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Plane: TypeAlias = NDArray[np.floating[Any]]

# Signal of each tissue in balanced SSFP, blood in the LV being 1; measured on ACDC by eye.
FAT, MUSCLE, LUNG, LIVER, SPLEEN, BONE, AORTA = 1.05, 0.24, 0.045, 0.40, 0.42, 0.55, 1.05


def soft(distance_mm: Plane, pixel_mm: float) -> Plane:
    """Part of a pixel that lies inside, from the signed distance to the border (< 0 inside)."""
    return np.asarray(np.clip(0.5 - distance_mm / np.float32(pixel_mm), 0, 1))


def ellipse_mm(
    x: Plane, y: Plane, *, centre: tuple[float, float], axes: tuple[float, float], turn: float = 0
) -> Plane:
    """Approximate signed distance to an ellipse [mm], negative inside.

    Args:
        x: Positions to the right [mm], (y, x).
        y: Positions downwards [mm], (y, x).
        centre: Of the ellipse (x, y) [mm].
        axes: Semi-axes [mm].
        turn: Angle of the first axis [rad].
    """
    dx, dy = x - np.float32(centre[0]), y - np.float32(centre[1])
    c, s = np.float32(cos(turn)), np.float32(sin(turn))
    u, v = (dx * c + dy * s) / np.float32(axes[0]), (dy * c - dx * s) / np.float32(axes[1])
    rho = np.sqrt(u * u + v * v)
    # First-order distance: value over gradient of rho.
    slope = np.sqrt((u / np.float32(axes[0])) ** 2 + (v / np.float32(axes[1])) ** 2)
    near_centre = np.float32(min(axes))
    return np.where(rho > 1e-3, (rho - 1) * rho / np.maximum(slope, 1e-6), -near_centre)


def texture(random: np.random.Generator, shape: tuple[int, int], grain_px: float) -> Plane:
    """Smooth noise of mean 0 and standard deviation 1, (y, x)."""
    from scipy.ndimage import gaussian_filter, zoom

    coarser = max(1.0, grain_px / 4)  # wide grains are drawn on a coarser grid, for speed
    coarse_shape = [int(n / coarser) + 2 for n in shape]
    noise = gaussian_filter(random.normal(size=coarse_shape), 0.5 * grain_px / coarser)
    if coarser > 1:
        noise = zoom(noise, coarser * 1.02, order=1)
    fine = noise[: shape[0], : shape[1]]
    assert fine.shape == shape
    return np.asarray((fine - fine.mean()) / fine.std(), np.float32)


class Canvas:
    """One slice that is painted tissue over tissue, (y, x)."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.signal = np.zeros(shape, np.float32)
        self.fat = np.zeros(shape, np.float32)

    def paint(self, cover: Plane, signal: Plane | float, *, fat: float = 0.0) -> None:
        """Put tissue where `cover` (0..1) says; `fat` is its share of fat."""
        self.signal += cover * (signal - self.signal)
        self.fat += cover * (fat - self.fat)


@dataclass(frozen=True, slots=True)
class Thorax:
    """What was drawn from the seed about the chest; origin is the heart, -y the breastbone.

    Attributes:
        seed: Of its textures.
        half_width_mm: Of the body.
        half_depth_mm: Of the body, breastbone to back.
        centre: Of the body (x, y) [mm], seen from the heart.
        fat_mm: Thickness of the fat under the skin at the front; twice that at the side.
        liver_rise_mm: How high the liver stands beside the heart.
        stomach: Signal of the stomach's content.
    """

    seed: int
    half_width_mm: float
    half_depth_mm: float
    centre: tuple[float, float]
    fat_mm: float
    liver_rise_mm: float
    stomach: float

    def slice_at(self, x: Plane, y: Plane, *, depth: float, pixel_mm: float) -> Canvas:
        """The slice at a depth (0 = base of the heart, 1 = apex), without the heart."""
        random = np.random.default_rng([self.seed, 7])  # the same textures in every slice
        grain = {mm: texture(random, x.shape, mm / pixel_mm) for mm in (4.0, 9.0, 30.0, 90.0)}
        canvas = Canvas(x.shape)
        inner = self._wall(canvas, x, y, grain, pixel_mm)
        self._lungs(canvas, x, y, inner, depth=depth, pixel_mm=pixel_mm)
        self._belly(canvas, x, y, inner, grain, depth=depth, pixel_mm=pixel_mm)
        self._back(canvas, x, y, grain, depth=depth, pixel_mm=pixel_mm)
        return canvas

    def _wall(
        self, canvas: Canvas, x: Plane, y: Plane, grain: dict[float, Plane], pixel_mm: float
    ) -> Plane:
        """Fat, muscle and ribs; returns the signed distance to the chest's inside [mm]."""
        axes = (self.half_width_mm, self.half_depth_mm)
        outline = ellipse_mm(x, y, centre=self.centre, axes=axes) + 3.0 * grain[90.0]
        angle = np.arctan2(y - self.centre[1], x - self.centre[0])
        side = np.cos(angle) ** 2
        fat_mm = self.fat_mm * (1 + side + 0.25 * grain[90.0])
        muscle_mm = 9 + 10 * side * np.clip(1 + 0.3 * grain[90.0], 0.3, 2)
        canvas.paint(soft(outline, pixel_mm), FAT * (1 + 0.05 * grain[9.0]), fat=1)
        canvas.paint(soft(outline + fat_mm, pixel_mm), MUSCLE * (1 + 0.12 * grain[4.0]))
        strand = np.abs(np.sin(angle * 23 + grain[30.0])) < 0.12
        inside_fat = soft(outline + fat_mm + muscle_mm * 0.55, pixel_mm) * strand
        canvas.paint(inside_fat * np.float32(0.6), FAT, fat=1)
        inner = outline + fat_mm + muscle_mm
        for rib in np.arange(-0.4, 2 * pi - 0.4, 0.42):
            along = np.abs(np.angle(np.exp(1j * (angle - rib)))).astype(np.float32)
            spot = np.sqrt((along * 100 / 9) ** 2 + ((inner - 3) / 4.5) ** 2)
            canvas.paint(soft((spot - 1) * 5, pixel_mm), 0.06)
            canvas.paint(soft((spot - 0.55) * 5, pixel_mm), BONE, fat=0.3)
        return np.asarray(inner, np.float32)

    def _lungs(
        self, canvas: Canvas, x: Plane, y: Plane, inner: Plane, *, depth: float, pixel_mm: float
    ) -> None:
        random = np.random.default_rng([self.seed, 11, round(depth * 20)])
        canvas.paint(soft(inner, pixel_mm), LUNG * np.clip(1 + (y + 40) / 300, 0.7, 1.6))
        for _ in range(int(42 * (1.1 - 0.6 * depth))):  # vessels crowd towards the hilum
            towards, far = random.uniform(-1.5, 1.1), 40 + random.gamma(2.0, 24)
            at = (far * cos(towards), far * sin(towards))
            size = max(0.5, random.gamma(3.0, 0.5) * (1.2 - far / 160))
            axes = (size * random.uniform(1, 2.5), size)
            blob = ellipse_mm(x, y, centre=at, axes=axes, turn=towards)
            cover = soft(blob, pixel_mm) * (inner < -4)
            canvas.paint(cover, random.uniform(0.35, 0.9))

    def _belly(
        self,
        canvas: Canvas,
        x: Plane,
        y: Plane,
        inner: Plane,
        grain: dict[float, Plane],
        *,
        depth: float,
        pixel_mm: float,
    ) -> None:
        """Liver at the left of the picture, stomach and spleen below the heart."""
        inside = soft(inner, pixel_mm)
        dome = 38 - 6 * depth + 0.0022 * (x - 10) ** 2 * np.where(x > 10, 1.3 - 0.5 * depth, 0.1)
        below = soft(dome - y + 2.5 * grain[30.0], pixel_mm) * inside
        fatty = np.clip(0.42 + 0.22 * grain[9.0] + 0.2 * grain[30.0], 0.12, 1.0)
        canvas.paint(below * soft(x - 90 - 60 * depth, pixel_mm), fatty, fat=0.5)
        liver_axes = (95 + 25 * depth, 55 + 25 * depth + self.liver_rise_mm)
        liver = ellipse_mm(x, y, centre=(-95 + 15 * depth, 62), axes=liver_axes, turn=0.15)
        liver = np.maximum(liver + 3 * grain[30.0], inner + 2)
        canvas.paint(soft(liver, pixel_mm), LIVER * (1 + 0.06 * grain[9.0]))
        vessels = np.clip(grain[9.0] - 1.7, 0, 0.6) / 0.6 * soft(liver + 8, pixel_mm)
        canvas.paint(vessels, 0.75)
        if depth > 0.25:
            axes = (18 + 28 * depth, 14 + 16 * depth)
            stomach = ellipse_mm(x, y, centre=(38, 78 - 8 * depth), axes=axes, turn=0.35)
            canvas.paint(soft(stomach, pixel_mm) * inside, 0.3)
            content = self.stomach * np.clip(1 + 0.25 * grain[9.0], 0.3, 1.8)
            canvas.paint(soft(stomach + 3.5, pixel_mm) * inside, content)
        if depth > 0.4:
            axes = (34 * depth, 20 * depth)
            spleen = ellipse_mm(x, y, centre=(82, 92), axes=axes, turn=-0.7)
            spleen = np.maximum(spleen, inner + 2)
            canvas.paint(soft(spleen, pixel_mm), SPLEEN * (1 + 0.05 * grain[9.0]))

    def _back(
        self,
        canvas: Canvas,
        x: Plane,
        y: Plane,
        grain: dict[float, Plane],
        *,
        depth: float,
        pixel_mm: float,
    ) -> None:
        """Spine, the muscles beside it, the descending aorta and the vena cava."""
        at = (self.centre[0] + 2, self.centre[1] + self.half_depth_mm * 0.56)
        for sign in (-1, 1):
            belly = (at[0] + sign * 34, at[1] + 30)
            muscle = ellipse_mm(x, y, centre=belly, axes=(27, 19), turn=0.2 * sign)
            streak = np.where(grain[4.0] > 1.2, 0.7, MUSCLE * (1 + 0.1 * grain[9.0]))
            canvas.paint(soft(muscle, pixel_mm), streak.astype(np.float32))
        vertebra = ellipse_mm(x, y, centre=at, axes=(21, 17))
        canvas.paint(soft(vertebra, pixel_mm), 0.08)
        canvas.paint(soft(vertebra + 2, pixel_mm), BONE * (0.8 + 0.15 * grain[4.0]))
        canal = ellipse_mm(x, y, centre=(at[0], at[1] + 27), axes=(10, 8))
        canvas.paint(soft(canal, pixel_mm), 1.3)
        canvas.paint(soft(canal + 4, pixel_mm), 0.55)
        aorta = ellipse_mm(x, y, centre=(at[0] + 30, at[1] - 14), axes=(11.5, 11))
        canvas.paint(soft(aorta - 1.5, pixel_mm), 0.15)
        canvas.paint(soft(aorta, pixel_mm), AORTA)
        cava = ellipse_mm(x, y, centre=(-52, 44 + 22 * depth), axes=(13, 9), turn=0.6)
        canvas.paint(soft(cava, pixel_mm), 0.8)


def draw_thorax(random: np.random.Generator) -> Thorax:
    """An adult chest."""
    between = random.uniform
    return Thorax(
        seed=int(random.integers(2**31)),
        half_width_mm=float(between(155, 175)),
        half_depth_mm=float(between(120, 132)),
        centre=(float(between(-38, -18)), float(between(30, 40))),
        fat_mm=float(between(6, 12)),
        liver_rise_mm=float(between(0, 14)),
        stomach=float(between(0.25, 0.8)),
    )
