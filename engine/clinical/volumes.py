"""Volumes of the ventricles by slice summation."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from engine.geometry import Geometry
from engine.labelmap import LabelMap
from engine.structures import MYOCARDIUM_G_PER_ML, Structure


def slice_areas_mm2(labels: LabelMap, structure: Structure, *, phase: int) -> NDArray[np.float64]:
    """Area of a structure on each slice of a phase [mm^2], (z,)."""
    _, y_mm, x_mm = labels.geometry.spacing_mm
    voxels = np.count_nonzero(labels.voxels[phase] == structure, axis=(1, 2))  # (z,)
    return np.asarray(voxels * (y_mm * x_mm), np.float64)


def volume_ml(labels: LabelMap, structure: Structure, *, phase: int) -> float:
    """Volume of a structure in a phase by slice summation [ml].

    V = sum of areas [mm^2] x distance between slice centres [mm] / 1000 (SCMR 2020
    post-processing recommendations). The first and the last slice count in full.
    """
    z_mm = labels.geometry.spacing_mm[0]
    return float(slice_areas_mm2(labels, structure, phase=phase).sum() * z_mm / 1000)


def mass_g(myocardium_ml: float) -> float:
    """Mass of a volume of myocardium [g]."""
    return myocardium_ml * MYOCARDIUM_G_PER_ML


class EndSlices(StrEnum):
    """How high the discs of the first and the last drawn slice are."""

    WHOLE = "whole"
    """As high as all others: the distance of slice centres (SCMR 2020; Medviso Segment)."""

    HALF_GAP = "half gap"
    """Without the half gap beyond them: (thickness + distance) / 2 (LazyLuna)."""


@dataclass(frozen=True, slots=True)
class DiscRule:
    """What is needed to turn areas into volumes.

    Attributes:
        ends: How high the end discs are.
        thickness_mm: Thickness of a slice without the gap; only `HALF_GAP` needs it.
    """

    ends: EndSlices = EndSlices.WHOLE
    thickness_mm: float | None = None

    def __post_init__(self) -> None:
        assert self.ends is EndSlices.WHOLE or self.thickness_mm is not None


def disc_heights_mm(
    drawn: NDArray[np.bool_], distance_mm: float, rule: DiscRule
) -> NDArray[np.float64]:
    """How high the disc of each slice counts [mm].

    At 8 mm slices with a gap of 2 mm all discs are 10 mm by `WHOLE`; by `HALF_GAP` the two end
    discs are 9 mm, and a single slice is 8 mm.

    Args:
        drawn: Where the structure is drawn, (..., z).
        distance_mm: Between slice centres, gap included.
        rule: What the end slices are worth.

    Returns:
        (..., z).
    """
    heights = np.full(drawn.shape, distance_mm, np.float64)
    if rule.ends is EndSlices.HALF_GAP and rule.thickness_mm is not None:
        half_gap_mm = (distance_mm - rule.thickness_mm) / 2
        first = drawn & (np.cumsum(drawn, axis=-1) == 1)
        backwards = drawn[..., ::-1]
        last = (backwards & (np.cumsum(backwards, axis=-1) == 1))[..., ::-1]
        heights -= half_gap_mm * (first.astype(np.float64) + last)
    return heights


def disc_volumes_ml(
    counts: NDArray[np.integer], geometry: Geometry, rule: DiscRule
) -> NDArray[np.float64]:
    """Volume of each disc [ml]: voxels x area of a voxel x height of the disc.

    Args:
        counts: Voxels of one structure on each slice, (..., z).
        geometry: Gives the area of a voxel and the distance of slice centres.
        rule: How high the end discs are.

    Returns:
        (..., z).
    """
    z_mm, y_mm, x_mm = geometry.spacing_mm
    heights_mm = disc_heights_mm(counts > 0, z_mm, rule)
    return np.asarray(counts * heights_mm * (y_mm * x_mm / 1000), np.float64)


@dataclass(frozen=True, slots=True)
class VolumeCurve:
    """The volume of one structure over the labelled phases of a beat.

    Attributes:
        structure: Whose volume.
        phases: The labelled phases, rising, 0-based.
        volumes_ml: Its volume in each of them.
    """

    structure: Structure
    phases: tuple[int, ...]
    volumes_ml: tuple[float, ...]

    def __post_init__(self) -> None:
        assert len(self.phases) == len(self.volumes_ml)

    def at_ml(self, phase: int | None) -> float | None:
        """The volume in a phase [ml]; None without a phase, or where nothing is drawn."""
        if phase is None or phase not in self.phases:
            return None
        return self.volumes_ml[self.phases.index(phase)] or None


def make_curve(labels: LabelMap, structure: Structure) -> VolumeCurve:
    """The volume of `structure` in every phase that has any label."""
    phases = tuple(labels.labelled_phases())
    volumes = tuple(volume_ml(labels, structure, phase=phase) for phase in phases)
    return VolumeCurve(structure, phases, volumes)


def curve_of(
    structure: Structure, phases: Sequence[int], discs_ml: NDArray[np.float64]
) -> VolumeCurve:
    """The curve of discs that have been measured.

    Args:
        structure: Whose.
        phases: The labelled phases, rising.
        discs_ml: Of every phase and slice, (t, z), see `disc_volumes_ml`.
    """
    volumes = discs_ml[list(phases)].sum(axis=1).tolist()
    return VolumeCurve(structure, tuple(phases), tuple(volumes))


@dataclass(frozen=True, slots=True)
class VentricleFunction:
    """Pump function of one ventricle over one heartbeat.

    Volumes are in millilitres, None where the ventricle is not drawn in that phase. The ejection
    fraction lies between 0 and 1; only the report turns it into per cent. Automatic label maps
    can be odd, so an end-systolic volume above the end-diastolic one is no error here: stroke
    volume and ejection fraction are then None, and the report warns.
    """

    end_diastolic_ml: float | None
    end_systolic_ml: float | None

    @property
    def stroke_volume_ml(self) -> float | None:
        """EDV - ESV [ml]."""
        if self.end_diastolic_ml is None or self.end_systolic_ml is None:
            return None
        stroke_ml = self.end_diastolic_ml - self.end_systolic_ml
        return stroke_ml if stroke_ml >= 0 else None

    @property
    def ejection_fraction(self) -> float | None:
        """(EDV - ESV) / EDV, 0..1."""
        stroke_ml = self.stroke_volume_ml
        if stroke_ml is None or not self.end_diastolic_ml:
            return None
        return stroke_ml / self.end_diastolic_ml
