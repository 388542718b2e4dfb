"""From shapes to pictures: tissue fractions, signal, coil, blur and noise of the phantom."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import cos, pi, sin

import numpy as np
from numpy.typing import NDArray

from engine.datasets.phantom_heart import HeartShape, PhantomHeart
from engine.datasets.phantom_thorax import Plane, Thorax, ellipse_mm, soft, texture
from engine.structures import Structure

_SUB_SLICES = 5  # samples through the thickness of a slice
_MYOCARDIUM, _RV_BLOOD = 0.31, 0.88
_RV_WALL_MM = 2.2
_REACH_MM = 88.0  # the heart lies within this square around its centre


@dataclass(frozen=True, slots=True)
class Scan:
    """How the phantom is scanned.

    Attributes:
        shape_yx: Pixels of a slice.
        pixel_mm: Their size.
        slice_mm: Thickness of a slice and distance between slice centres; there is no gap.
        turn_deg: Rotation of the patient in the picture, positive from right to down.
        centre_px: Pixel (x, y) on which the heart's long axis lies at mid depth.
        noise: Standard deviation of the noise, blood being 1.
        blood: Stored value of blood.
        seed: Of noise, coil and flow.
    """

    shape_yx: tuple[int, int]
    pixel_mm: float
    slice_mm: float
    turn_deg: float
    centre_px: tuple[float, float]
    noise: float
    blood: float
    seed: int

    def grid_mm(self) -> tuple[Plane, Plane]:
        """Position (x, y) of each pixel from the heart, turned to the patient [mm], (y, x)."""
        rows, columns = np.indices(self.shape_yx, np.float32)
        dx = (columns - self.centre_px[0]) * self.pixel_mm
        dy = (rows - self.centre_px[1]) * self.pixel_mm
        c, s = cos(self.turn_deg * pi / 180), sin(self.turn_deg * pi / 180)
        return np.float32(c) * dx + np.float32(s) * dy, np.float32(c) * dy - np.float32(s) * dx

    def window(self) -> tuple[slice, slice]:
        """Rows and columns that hold the heart."""
        reach = int(_REACH_MM / self.pixel_mm) + 1
        (height, width), (cx, cy) = self.shape_yx, self.centre_px
        rows = slice(max(0, int(cy) - reach), min(height, int(cy) + reach))
        return rows, slice(max(0, int(cx) - reach), min(width, int(cx) + reach))


class HeartPainter:
    """Paints one heart, slice by slice and phase by phase."""

    def __init__(self, heart: PhantomHeart, scan: Scan, *, depth_mm: float) -> None:
        self._heart = heart
        self._scan = scan
        self._middle_mm = depth_mm / 2
        window = scan.window()
        x, y = scan.grid_mm()
        self._x, self._y = x[window], y[window]
        random = np.random.default_rng([scan.seed, 3])
        shape = self._x.shape
        self._fine = texture(random, shape, 2.6 / scan.pixel_mm)
        self._coarse = texture(random, shape, 5.0 / scan.pixel_mm)
        self._trabeculae = 0.8 * texture(random, shape, 3.6 / scan.pixel_mm) + 0.6 * self._coarse
        self._flow = [texture(random, shape, 18.0 / scan.pixel_mm) for _ in range(3)]

    def paint(
        self, shape: HeartShape, *, slice_index: int, emptied: float, background: Plane
    ) -> tuple[Plane, NDArray[np.uint8]]:
        """One slice of one phase over its `background`, within the scan's window.

        Returns:
            The signal and the structure that fills most of each voxel, both (y, x).
        """
        signal = np.zeros_like(background)
        filled = np.zeros((4, *background.shape), np.float32)
        for sub in range(_SUB_SLICES):
            depth_mm = (slice_index + (sub + 0.5) / _SUB_SLICES) * self._scan.slice_mm
            signal += self._cut(shape, depth_mm, emptied, background, filled)
        filled[0] = _SUB_SLICES - filled[1:].sum(axis=0)
        return signal / _SUB_SLICES, filled.argmax(axis=0).astype(np.uint8)

    def _cut(
        self,
        shape: HeartShape,
        depth_mm: float,
        emptied: float,
        background: Plane,
        filled: NDArray[np.float32],
    ) -> Plane:
        """An infinitely thin cut; adds its tissue fractions to `filled`."""
        u, v = self._along_septum(depth_mm, emptied)
        if depth_mm < shape.base_mm:
            return self._atria(u, v, shape, background, above_mm=shape.base_mm - depth_mm)
        outer = shape.epicardium_radius_mm(depth_mm)
        if outer <= 0:
            return background
        pixel = self._scan.pixel_mm
        rho = np.sqrt(u * u + v * v)
        angle = np.arctan2(v, u)
        inner = shape.cavity_radius_mm(depth_mm) * self._heart.border(angle)
        epicardium = soft(rho - np.float32(outer), pixel)
        cavity = soft(rho - inner, pixel) if shape.cavity_radius_mm(depth_mm) else 0 * rho
        rv_radius, apart = shape.rv_circle_mm(depth_mm)
        rv_rho = np.sqrt((u - np.float32(apart)) ** 2 + v * v)
        rv = soft(rv_rho - np.float32(rv_radius), pixel) if rv_radius else 0 * rho
        rv_wall = (
            soft(rv_rho - np.float32(rv_radius + _RV_WALL_MM), pixel) if rv_radius else 0 * rho
        )
        rv = rv * (1 - epicardium)
        filled[Structure.RV] += rv
        filled[Structure.MYOCARDIUM] += epicardium - cavity
        filled[Structure.LV] += cavity

        beyond = rho - outer, rv_rho - rv_radius - _RV_WALL_MM
        picture = self._sac(
            background, u, *beyond, to_apex_mm=shape.base_mm + shape.length_mm - depth_mm
        )
        picture = picture + np.maximum(rv_wall - rv, 0) * (1 - epicardium) * (0.36 - picture)
        picture = picture + rv * (self._rv_blood(rv_rho - rv_radius, shape, depth_mm) - picture)
        wall = _MYOCARDIUM * (1 + 0.07 * self._coarse + 0.05 * self._fine)
        picture = picture + (epicardium - cavity) * (wall - picture)
        blood = self._lv_blood(u, v, rho - inner, shape, depth_mm, emptied)
        return np.asarray(picture + cavity * (blood - picture), np.float32)

    def _along_septum(self, depth_mm: float, emptied: float) -> tuple[Plane, Plane]:
        """Positions from the long axis along and across the septum's direction [mm]."""
        off = np.float32(depth_mm - self._middle_mm)
        (tilt_x, tilt_y), (sx, sy) = self._heart.tilt, self._heart.septum
        dx = self._x - off * np.float32(tilt_x) - np.float32(2.0 * emptied * sx)
        dy = self._y - off * np.float32(tilt_y) - np.float32(2.0 * emptied * sy)
        stretch = np.float32(self._heart.stretch)
        return (
            (dx * np.float32(sx) + dy * np.float32(sy)) / stretch,
            (dy * np.float32(sx) - dx * np.float32(sy)) * stretch,
        )

    def _sac(
        self, background: Plane, u: Plane, lv: Plane, rv: Plane, *, to_apex_mm: float
    ) -> Plane:
        """Fat around the heart, thick beside the RV and in the grooves, thin at the free wall.

        Towards the apex it thins out, where the heart touches the chest wall and the lung.
        """
        pixel, near = self._scan.pixel_mm, np.minimum(lv, rv)
        thickness = 0.7 + 4.0 / (1 + np.exp(-u / 8)) + 5.0 * np.exp(-((lv - rv) ** 2) / 30)
        thickness = thickness * min(1.0, max(0.1, to_apex_mm / 30))
        fat = soft(near - thickness.astype(np.float32) - 1.2 * self._flow[0], pixel)
        line = soft(near, pixel)  # the pericardium's dark line comes from the fat's border
        return np.asarray(background + fat * (1 - line) * (0.75 + 0.12 * self._coarse - background))

    def _lv_blood(
        self,
        u: Plane,
        v: Plane,
        inside: Plane,
        shape: HeartShape,
        depth_mm: float,
        emptied: float,
    ) -> Plane:
        """Blood with flow, trabeculae at its border and the papillary muscles."""
        swirl = self._flow[0] * cos(pi * emptied) + self._flow[1] * sin(pi * emptied)
        blood = 1.0 + 0.10 * swirl - 0.08 * emptied
        part = (depth_mm - shape.base_mm) / shape.length_mm
        # Trabeculae close up in systole, so their seam keeps its width in a smaller cavity.
        ring_mm = 2.6 + 4.5 * max(part - 0.2, 0.0) + 0.5 * emptied
        border = np.exp(-((inside / ring_mm) ** 2)) * (0.55 + 0.45 * min(1.0, 1.6 * part))
        blood = blood - np.clip(0.40 + 0.42 * self._trabeculae, 0, 0.70) * border
        if 0.28 < part < 0.80:
            fade = min(1.0, (part - 0.28) / 0.1, (0.80 - part) / 0.1)
            radius = shape.cavity_radius_mm(depth_mm)
            for angle in (pi - 0.95, pi + 0.85):
                at = (0.66 * radius * cos(angle), 0.66 * radius * sin(angle))
                axes = (6.0 * fade, 4.6 * fade)
                muscle = ellipse_mm(u, v, centre=at, axes=axes, turn=angle) + 1.2 * self._coarse
                blood = blood + 0.85 * soft(muscle, 1.8) * (_MYOCARDIUM - blood)
        return np.asarray(blood, np.float32)

    def _rv_blood(self, inside: Plane, shape: HeartShape, depth_mm: float) -> Plane:
        part = (depth_mm - shape.base_mm) / shape.rv_length_mm
        border = np.exp(inside / (5.0 + 7.0 * max(part, 0.0)))  # trabeculae at the free wall
        blood = _RV_BLOOD + 0.09 * self._flow[2]
        dark = np.clip(0.20 + 0.45 * self._trabeculae, 0, 0.62) * np.minimum(border, 1)
        return np.asarray(blood - dark * (0.4 + 0.6 * max(part, 0.0)), np.float32)

    def _atria(
        self, u: Plane, v: Plane, shape: HeartShape, background: Plane, *, above_mm: float
    ) -> Plane:
        """Atria, aortic root and outflow of the RV, with thin walls and fat between them."""
        base = shape.epicardium_radius_mm(shape.base_mm + 1e-6)
        pixel = self._scan.pixel_mm
        parts = (
            ((-0.30 * base, 0.35 * base), (0.95 * base, 0.62 * base), 1.4, 0.88),  # left atrium
            ((0.95 * base, 0.95 * base), (0.72 * base, 0.62 * base), 0.9, 0.80),  # right atrium
            ((1.05 * base, -0.45 * base), (0.50 * base, 0.44 * base), 0.0, 0.84),  # RV outflow
            ((0.36 * base, -0.05 * base), (0.42 * base, 0.40 * base), 0.0, 0.96),  # aortic root
        )
        borders = [ellipse_mm(u, v, centre=p[0], axes=p[1], turn=p[2]) for p in parts]
        near = np.minimum.reduce(borders)
        fat = soft(near - 5 - 1.5 * self._flow[0], pixel)
        picture = background + fat * (0.72 + 0.12 * self._coarse - background)
        for border, part in zip(borders, parts, strict=True):
            thin = soft(border - 2.0, pixel)
            picture = picture + thin * (0.33 - picture)
            blood = part[3] + 0.05 * self._flow[2] - 0.1 * min(above_mm / 20, 1)
            picture = picture + soft(border, pixel) * (blood - picture)
        return np.asarray(picture, np.float32)


def paint_background(thorax: Thorax, scan: Scan, slice_count: int) -> list[Plane]:
    """The chest of each slice, with the dark line where fat meets water, (y, x) each."""
    from scipy.ndimage import gaussian_filter

    x, y = scan.grid_mm()
    slices = []
    for index in range(slice_count):
        depth = index / max(slice_count - 1, 1)
        canvas = thorax.slice_at(x, y, depth=depth, pixel_mm=scan.pixel_mm)
        # Opposed phase of fat and water at TE = TR / 2 blacks out voxels that hold both.
        mixed = gaussian_filter(canvas.fat, 0.6)
        ink = 1 - 2.4 * mixed * (1 - mixed) * (canvas.signal > 0.1)
        slices.append(np.asarray(canvas.signal * ink, np.float32))
    return slices


def coil_gain(scan: Scan) -> Plane:
    """Surface coils at the front and, weaker, at the back: smooth, 1 at the heart, (y, x)."""
    random = np.random.default_rng([scan.seed, 5])
    x, y = scan.grid_mm()
    front, left, back = random.uniform(0.3, 0.6), random.uniform(-0.1, 0.2), 0.25
    gain = 0.75 + front * np.exp(-(y + 110) / 90) * 0.5 + left * x / 200
    gain = gain + back * np.exp((y - 150) / 60)
    gain = np.clip(gain, 0.3, 2.2) / (0.75 + front * np.exp(-110 / 90) * 0.5)
    return np.asarray(gain, np.float32)


def scan_phases(pictures: Iterator[NDArray[np.float32]], scan: Scan) -> Iterator[NDArray[np.int16]]:
    """Blur, coil and Rician noise: what the scanner stores of each (z, y, x) picture."""
    from scipy.ndimage import gaussian_filter1d

    random = np.random.default_rng([scan.seed, 13])
    gain = coil_gain(scan)
    for picture in pictures:
        seen = gaussian_filter1d(gaussian_filter1d(picture, 0.55, axis=1), 0.55, axis=2) * gain
        shape = seen.shape
        real = seen + scan.noise * random.standard_normal(shape, dtype=np.float32)
        imaginary = scan.noise * random.standard_normal(shape, dtype=np.float32)
        stored = np.sqrt(real * real + imaginary * imaginary) * scan.blood
        yield np.rint(np.minimum(stored, 32767)).astype(np.int16)
