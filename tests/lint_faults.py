"""How well the checks of labels find faults, and how often they alarm without one.

`python -m tests.lint_faults [--curves N]` puts eight kinds of fault into the reference labels of
ACDC, one at a time, and prints a table. Two kinds of fault of the volume curve need all phases of a
beat, which the references have not: they go into the labels that the shipped model gives to N
generated hearts and two real cines.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from engine.clinical.findings import FindingKind, Severity
from engine.clinical.lint import choice_of, lint
from engine.clinical.phases import PhaseChoice
from engine.clinical.study_lint import lint_counts
from engine.datasets.catalogue import read_labelled
from engine.geometry import Geometry
from engine.labelmap import LabelMap
from engine.progress import run_to_end
from engine.structures import HEART_STRUCTURES, Structure
from tests.conftest import data_root

Voxels = NDArray[np.uint8]
Damage = Callable[[Voxels, np.random.Generator], bool]
"""Puts a fault into ED and ES, (2, z, y, x), and says whether there was room for it."""


def _with(plane: Voxels, *structures: Structure) -> bool:
    return all(np.count_nonzero(plane == structure) > 60 for structure in structures)


def _pick(voxels: Voxels, random: np.random.Generator, *structures: Structure) -> Voxels | None:
    """A slice with all of these structures, not at an end of the LV; a view."""
    places = [
        (phase, z)
        for phase in range(len(voxels))
        for z in _inner_slices(voxels[phase])
        if _with(voxels[phase, z], *structures)
    ]
    return voxels[places[random.integers(len(places))]] if places else None


def _inner_slices(volume: Voxels) -> list[int]:
    return np.flatnonzero((volume == Structure.LV).any(axis=(1, 2)))[1:-1].tolist()


def _angles(plane: Voxels) -> NDArray[np.float64]:
    """Direction of every pixel as seen from the middle of the LV [rad]."""
    y, x = ndimage.center_of_mass(plane == Structure.LV)
    rows, columns = np.indices(plane.shape)
    return np.arctan2(rows - y, columns - x)


def open_ring(voxels: Voxels, random: np.random.Generator) -> bool:
    """40 degrees of the wall are missing on one slice."""
    plane = _pick(voxels, random, Structure.LV, Structure.MYOCARDIUM)
    if plane is None:
        return False
    turned = np.angle(np.exp(1j * (_angles(plane) - random.uniform(-np.pi, np.pi))))
    plane[(np.abs(turned) < np.deg2rad(20)) & (plane == Structure.MYOCARDIUM)] = 0
    return True


def broken_septum(voxels: Voxels, random: np.random.Generator) -> bool:
    """The cavity of the LV runs into that of the RV over 40 degrees on one slice."""
    plane = _pick(voxels, random, *HEART_STRUCTURES)
    if plane is None:
        return False
    rv_y, rv_x = ndimage.center_of_mass(plane == Structure.RV)
    y, x = ndimage.center_of_mass(plane == Structure.LV)
    turned = np.angle(np.exp(1j * (_angles(plane) - np.arctan2(rv_y - y, rv_x - x))))
    plane[(np.abs(turned) < np.deg2rad(20)) & (plane == Structure.MYOCARDIUM)] = Structure.LV
    return True


def stray_piece(voxels: Voxels, random: np.random.Generator) -> bool:
    """A disc of 4.5 mm radius of some structure lies away from the heart on one slice."""
    plane = _pick(voxels, random, Structure.LV)
    if plane is None:
        return False
    far = ndimage.distance_transform_edt(plane == 0) > 8
    structure = random.choice([s for s in HEART_STRUCTURES if (plane == s).any()])
    plane[_disc(far, random, radius=3)] = structure
    return True


def hole(voxels: Voxels, random: np.random.Generator) -> bool:
    """A disc of 2.25 mm radius is missing inside a structure on one slice."""
    structure = random.choice([Structure.LV, Structure.RV])
    plane = _pick(voxels, random, structure)
    if plane is None:
        return False
    deep = ndimage.distance_transform_edt(plane == structure) > 3
    if not deep.any():
        return False
    plane[_disc(deep, random, radius=1.5)] = 0
    return True


def _disc(where: NDArray[np.bool_], random: np.random.Generator, *, radius: float) -> Voxels:
    places = np.argwhere(where)
    y, x = places[random.integers(len(places))]
    rows, columns = np.indices(where.shape)
    return np.hypot(rows - y, columns - x) <= radius


def empty_slice(voxels: Voxels, random: np.random.Generator) -> bool:
    """A slice between others has no labels."""
    plane = _pick(voxels, random, Structure.LV)
    if plane is None:
        return False
    plane[:] = 0
    return True


def base_missing_at_ed(voxels: Voxels, _random: np.random.Generator) -> bool:
    """ED ends one slice short of the base of ES."""
    at_es = np.flatnonzero((voxels[1] == Structure.LV).any(axis=(1, 2)))
    areas = np.count_nonzero(voxels[0] == Structure.LV, axis=(1, 2))
    if areas[at_es[0]] >= areas[at_es[-1]]:
        voxels[0, : at_es[0] + 1] = 0
    else:
        voxels[0, at_es[-1] :] = 0
    return True


def rv_base_missing(voxels: Voxels, _random: np.random.Generator) -> bool:
    """The RV is missing at ED on the half of its slices that hold most of it."""
    areas = np.count_nonzero(voxels[0] == Structure.RV, axis=(1, 2))
    for z in np.argsort(-areas)[: max(1, np.count_nonzero(areas) // 2)]:
        voxels[0, z][voxels[0, z] == Structure.RV] = 0
    return True


def thick_wall(voxels: Voxels, _random: np.random.Generator) -> bool:
    """The outer border of the myocardium lies 4.5 mm too far out at ES."""
    disc = np.hypot(*np.mgrid[-3:4, -3:4]) <= 3
    for plane in voxels[1]:
        grown = ndimage.binary_dilation(np.isin(plane, (Structure.MYOCARDIUM, Structure.LV)), disc)
        plane[grown & (plane != Structure.LV)] = Structure.MYOCARDIUM
    return True


DAMAGES: dict[str, tuple[FindingKind, Damage]] = {
    "open ring": (FindingKind.RING_OPEN, open_ring),
    "broken septum": (FindingKind.LV_TOUCHES_RV, broken_septum),
    "stray piece": (FindingKind.ISLAND, stray_piece),
    "hole": (FindingKind.HOLE, hole),
    "empty slice": (FindingKind.GAP, empty_slice),
    "base missing at ED": (FindingKind.BEYOND_ED, base_missing_at_ed),
    "RV base missing at ED": (FindingKind.STROKE_VOLUMES, rv_base_missing),
    "thick wall at ES": (FindingKind.MASS, thick_wall),
}
"""Faults of ED and ES, with the check that should find each."""


def one_phase_short(counts: NDArray[np.int64], random: np.random.Generator) -> None:
    """In one phase the LV is missing on the two slices that hold most of it."""
    phase = random.integers(len(counts))
    lv = counts[phase, :, Structure.LV]
    lv[np.argsort(-lv)[:2]] = 0


def second_systole(counts: NDArray[np.int64], random: np.random.Generator) -> None:
    """For three phases in which the LV is nearly full it is a third too small."""
    volumes = counts[:, :, Structure.LV].sum(axis=1)
    full = volumes > volumes.min() + 0.75 * np.ptp(volumes)
    starts = np.flatnonzero(full & np.roll(full, -1) & np.roll(full, -2))
    start = random.choice(starts)
    for phase in range(start, start + 3):
        counts[phase % len(counts), :, Structure.LV] *= 2
        counts[phase % len(counts), :, Structure.LV] //= 3


CURVE_DAMAGES = {
    "one phase short": (FindingKind.CURVE_JUMP, one_phase_short),
    "second systole": (FindingKind.CURVE_MINIMA, second_systole),
}
"""Faults of the volume curve, with the check that should find each."""


@dataclass
class Tally:
    """How a check did.

    Attributes:
        alarms: Studies without a fault in which it alarmed.
        studies: How many there were.
        missed: Names of the studies with the fault in which it did not alarm.
        faulty: How many there were.
    """

    kind: FindingKind
    alarms: list[str]
    studies: int
    missed: list[str]
    faulty: int

    @property
    def sensitivity(self) -> float:
        return 1 - len(self.missed) / self.faulty

    @property
    def false_alarms(self) -> float:
        return len(self.alarms) / self.studies


def reference_patients(folder: Path, *, every: int = 1) -> Iterator[tuple[str, LabelMap]]:
    """ED and ES of the references as label maps of two phases, of every so many patients."""
    for patient in run_to_end(read_labelled(folder))[::every]:
        phases = {volume.phase: volume for volume in patient.volumes}
        voxels = np.stack([phases[key].labels() for key in ("ED", "ES")])
        z_mm, y_mm, x_mm = phases["ED"].spacing_mm
        affine = np.diag([x_mm, y_mm, z_mm, 1.0])
        yield patient.name, LabelMap(voxels, Geometry.from_affine(affine, voxels.shape[1:]))


def alarms_of(labels: LabelMap) -> set[FindingKind]:
    """The checks that alarm: notes are no alarms. ED and ES are those of the source."""
    choice = choice_of(labels, ed_phase=0, es_phase=1, source=(0, 1))
    found = lint(labels, choice)
    return {finding.kind for finding in found if finding.severity is not Severity.NOTE}


def measure(patients: list[tuple[str, LabelMap]]) -> dict[str, Tally]:
    """Put every kind of fault into every patient; fault -> how its check did."""
    clean = {name: alarms_of(labels) for name, labels in patients}
    table = {}
    for number, (title, (kind, damage)) in enumerate(DAMAGES.items()):
        alarms = [name for name, found in clean.items() if kind in found]
        missed, faulty = [], 0
        for order, (name, labels) in enumerate(patients):
            voxels = labels.voxels.copy()
            if damage(voxels, np.random.default_rng([number, order])):
                faulty += 1
                if kind not in alarms_of(LabelMap(voxels, labels.geometry)):
                    missed.append(name)
        table[title] = Tally(kind, alarms, len(patients), missed, faulty)
    return table


def curve_alarms(counts: NDArray[np.int64], choice: PhaseChoice) -> set[FindingKind]:
    """The checks of the curves that alarm."""
    found = lint_counts(counts, choice, voxel_ml=None)
    return {each.kind for each in found if each.kind in {k for k, _ in CURVE_DAMAGES.values()}}


def measure_curves(curves: dict[str, NDArray[np.int64]]) -> dict[str, Tally]:
    """The same for faults of the volume curve; study -> voxels (t, z, 5)."""
    choices = {name: _choice(counts) for name, counts in curves.items()}
    clean = {name: curve_alarms(counts, choices[name]) for name, counts in curves.items()}
    table = {}
    for number, (title, (kind, damage)) in enumerate(CURVE_DAMAGES.items()):
        missed = []
        for order, (name, counts) in enumerate(curves.items()):
            changed = counts.copy()
            damage(changed, np.random.default_rng([number, order]))
            if kind not in curve_alarms(changed, choices[name]):
                missed.append(name)
        alarms = [name for name, found in clean.items() if kind in found]
        table[title] = Tally(kind, alarms, len(curves), missed, len(curves))
    return table


def _choice(counts: NDArray[np.int64]) -> PhaseChoice:
    from engine.clinical.phases import PhaseRule

    volumes = counts[:, :, Structure.LV].sum(axis=1)
    return PhaseChoice(int(volumes.argmax()), int(volumes.argmin()), PhaseRule.BY_HAND)


def predicted_curves(count: int) -> dict[str, NDArray[np.int64]]:
    """Voxels by slice of generated hearts and real cines, as the shipped model labels them."""
    from engine.clinical.tally import VoxelTally
    from engine.datasets.phantom import make_phantom
    from engine.io.study_folder import read_study
    from engine.learning.checkpoint import load_model
    from engine.learning.inference import predict

    model = load_model()
    cines = {f"phantom {seed}": make_phantom(seed).cine for seed in range(100, 100 + count)}
    for place in ("siemens_cine_dicom/patient1", "sunnybrook_dicom"):
        cines[place] = run_to_end(read_study(data_root() / place)).stacks[0].cine
    curves = {}
    for name, cine in cines.items():
        found = run_to_end(predict(model, cine, phases="all", device="cpu"))
        curves[name] = VoxelTally(LabelMap(found.voxels, cine.geometry)).counts.copy()
    return curves


def show(table: dict[str, Tally]) -> None:
    for title, tally in table.items():
        print(  # noqa: T201  (a program to be read)
            f"{title:24} {tally.kind:16} found {tally.faulty - len(tally.missed)}/{tally.faulty} "
            f"({100 * tally.sensitivity:.1f} %), false alarms {len(tally.alarms)}/{tally.studies} "
            f"({100 * tally.false_alarms:.1f} %) {' '.join(tally.alarms)}"
        )


if __name__ == "__main__":
    show(measure(list(reference_patients(data_root() / "acdc"))))
    if "--curves" in sys.argv:
        show(measure_curves(predicted_curves(int(sys.argv[sys.argv.index("--curves") + 1]))))
