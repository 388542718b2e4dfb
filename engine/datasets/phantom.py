"""A beating heart of exactly known volume in a chest, drawn from a seed."""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import cos, pi, sin
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.cine import Cine
from engine.datasets.phantom_heart import PhantomHeart, draw_heart, emptied_fraction
from engine.datasets.phantom_image import HeartPainter, Scan, paint_background, scan_phases
from engine.datasets.phantom_thorax import Thorax, draw_thorax
from engine.errors import CannotSaveError
from engine.geometry import Geometry
from engine.labelmap import LabelMap
from engine.progress import Progress, Steps, run_to_end
from engine.structures import MYOCARDIUM_G_PER_ML
from engine.study import Patient

_SYSTOLE = 0.37  # end systole comes after this part of the beat
_DESCENT_MM = 11.0  # of the base from end diastole to end systole, about
_COVERED_MM = 110.0  # by the whole stack


@dataclass(frozen=True, slots=True)
class PhantomTruth:
    """The volumes of the continuous shape, not of its voxels.

    LV cavity and myocardium are closed-form; the RV is a converged sum of closed-form areas
    (see `PhantomHeart`).
    """

    lv_ed_ml: float
    lv_es_ml: float
    rv_ed_ml: float
    rv_es_ml: float
    mass_g: float
    ed_phase: int
    es_phase: int

    def as_json(self, *, seed: int) -> dict[str, object]:
        """What `truth.json` holds; ejection fractions in per cent."""

        def ventricle(ed_ml: float, es_ml: float) -> dict[str, float]:
            stroke_ml = ed_ml - es_ml
            return {
                "edv_ml": ed_ml,
                "esv_ml": es_ml,
                "sv_ml": stroke_ml,
                "ef_percent": 100 * stroke_ml / ed_ml,
            }

        return {
            "lv": {**ventricle(self.lv_ed_ml, self.lv_es_ml), "mass_g": self.mass_g},
            "rv": ventricle(self.rv_ed_ml, self.rv_es_ml),
            "phases": {"ed": self.ed_phase, "es": self.es_phase},
            "seed": seed,
            "method": "LV and myocardium: closed form. RV: closed-form areas, Gauss-Legendre "
            "sum over depth.",
        }


@dataclass(frozen=True, slots=True, eq=False)
class Phantom:
    """A generated patient.

    Attributes:
        cine: Images, (t, z, y, x) int16, base first.
        labels: The structure that fills most of each voxel, papillary muscles counted as
            cavity, as in ACDC.
        truth: Volumes of the shape itself.
        patient: Made-up facts.
        heart: All sizes.
        ed_phase: End diastole, 0-based; always 0.
        es_phase: End systole, 0-based.
    """

    cine: Cine = field(repr=False)
    labels: LabelMap = field(repr=False)
    truth: PhantomTruth
    patient: Patient
    heart: PhantomHeart
    ed_phase: int
    es_phase: int


def make_phantom(
    seed: int,
    *,
    phases: int = 25,
    slices: int = 11,
    shape_yx: tuple[int, int] = (224, 256),
) -> Phantom:
    """Draw a patient from a seed.

    The stack spans about 110 mm: one slice of atria above the base, then the ventricles, so that
    base and apex are covered. The base plane lies between two slices at end diastole and again
    at end systole, one slice lower (two for thin slices): summation then has no basal error.

    Args:
        seed: Equal seeds and sizes give equal patients, bit for bit.
        phases: Over one beat, at least 4.
        slices: At least 6.
        shape_yx: Pixels of a slice; the field of view stays about 325 x 370 mm.
    """
    return run_to_end(phantom_steps(seed, phases=phases, slices=slices, shape_yx=shape_yx))


def phantom_steps(
    seed: int, *, phases: int = 25, slices: int = 11, shape_yx: tuple[int, int] = (224, 256)
) -> Steps[Phantom]:
    """`make_phantom`, one phase a step."""
    assert min(seed, phases - 4, slices - 6) >= 0, (seed, phases, slices)
    random = np.random.default_rng(seed)
    heart, thorax = draw_heart(random), draw_thorax(random)
    scan = _draw_scan(random, slices=slices, shape_yx=shape_yx)
    patient = _draw_patient(random, heart, seed)
    es_phase = round(_SYSTOLE * phases)

    images = np.empty((phases, slices, *shape_yx), np.int16)
    labels = np.zeros(images.shape, np.uint8)
    pictures = _pictures(heart, thorax, scan, labels, es_phase=es_phase)
    for phase, stored in enumerate(scan_phases(pictures, scan)):
        images[phase] = stored
        yield Progress(phase + 1, phases, "Drawing the phantom heart")

    geometry = Geometry.from_affine(_affine(scan, slices), (slices, *shape_yx))
    interval_ms = 60_000 / heart.heart_rate_bpm / phases
    times_ms = tuple(phase * interval_ms for phase in range(phases))
    return Phantom(
        cine=Cine(f"phantom {seed}", images, geometry, phase_times_ms=times_ms),
        labels=LabelMap(labels, geometry),
        truth=_truth(heart, es_phase),
        patient=patient,
        heart=heart,
        ed_phase=0,
        es_phase=es_phase,
    )


def _pictures(
    heart: PhantomHeart,
    thorax: Thorax,
    scan: Scan,
    labels: NDArray[np.uint8],
    *,
    es_phase: int,
) -> Iterator[NDArray[np.float32]]:
    """Signal of each phase, (z, y, x), blood being 1; fills `labels` (t, z, y, x) on the way."""
    phases, slices = labels.shape[:2]
    rows, columns = scan.window()
    chest = np.stack(paint_background(thorax, scan, slices))
    painter = HeartPainter(heart, scan, depth_mm=slices * scan.slice_mm)
    descent_mm = scan.slice_mm * max(1, round(_DESCENT_MM / scan.slice_mm))
    for phase in range(phases):
        emptied = emptied_fraction(phase / phases, systole=es_phase / phases)
        shape = heart.shape_at(emptied, base_ed_mm=scan.slice_mm, descent_mm=descent_mm)
        picture = chest.copy()
        for index in range(slices):
            signal, structure = painter.paint(
                shape,
                slice_index=index,
                emptied=emptied,
                background=chest[index, rows, columns],
            )
            picture[index, rows, columns] = signal
            labels[phase, index, rows, columns] = structure
        yield picture


def _truth(heart: PhantomHeart, es_phase: int) -> PhantomTruth:
    return PhantomTruth(
        lv_ed_ml=heart.ed_ml,
        lv_es_ml=heart.es_ml,
        rv_ed_ml=heart.rv_ed_ml,
        rv_es_ml=heart.rv_es_ml,
        mass_g=heart.myocardium_ml * MYOCARDIUM_G_PER_ML,
        ed_phase=0,
        es_phase=es_phase,
    )


def _draw_scan(random: np.random.Generator, *, slices: int, shape_yx: tuple[int, int]) -> Scan:
    height, width = shape_yx
    return Scan(
        shape_yx=shape_yx,
        pixel_mm=float(random.uniform(1.38, 1.52)) * 256 / width,
        slice_mm=round(2 * _COVERED_MM / slices) / 2,
        turn_deg=float(random.uniform(-60, 10)),
        centre_px=(
            width * float(random.uniform(0.46, 0.52)),
            height * float(random.uniform(0.44, 0.50)),
        ),
        noise=float(random.uniform(0.015, 0.03)),
        blood=float(random.uniform(180, 320)),
        seed=int(random.integers(2**31)),
    )


def _draw_patient(random: np.random.Generator, heart: PhantomHeart, seed: int) -> Patient:
    height_cm = float(round(random.normal(171, 9)))
    return Patient(
        identifier=f"phantom{seed:03d}",
        sex=str(random.choice(["F", "M"])),
        age_years=float(random.integers(25, 80)),
        height_cm=height_cm,
        weight_kg=float(round(random.uniform(20, 30) * (height_cm / 100) ** 2)),
        heart_rate_bpm=round(heart.heart_rate_bpm, 1),
        group="PHANTOM",
    )


def _affine(scan: Scan, slices: int) -> NDArray[np.float64]:
    """Voxel to patient (right, anterior, superior) [mm] of an oblique short-axis stack, (4, 4)."""
    normal = np.array([-0.65, 0.50, -0.57])  # from base to apex: left, forwards, down
    normal /= np.linalg.norm(normal)
    down = np.array([0.0, -1.0, 0.0])  # the picture's lower edge is the back
    down -= (down @ normal) * normal
    down /= np.linalg.norm(down)
    right = np.cross(normal, down)
    turn = scan.turn_deg * pi / 180
    x_axis = cos(turn) * right - sin(turn) * down
    y_axis = sin(turn) * right + cos(turn) * down
    affine = np.eye(4)
    affine[:3, 0] = x_axis * scan.pixel_mm
    affine[:3, 1] = y_axis * scan.pixel_mm
    affine[:3, 2] = normal * scan.slice_mm
    heart_px = np.array([*scan.centre_px, (slices - 1) / 2])
    affine[:3, 3] = np.array([-30.0, 25.0, 10.0]) - affine[:3, :3] @ heart_px
    return affine


def write_phantom(folder: Path, seed: int) -> Steps[Path]:
    """Write a phantom as an ACDC-like patient folder and return the folder.

    It holds `<name>_4d.nii.gz`, `Info.cfg` and `truth.json`, `<name>` being the folder's own.
    The three are written to a temporary folder beside it, which is then renamed.

    Raises:
        CannotSaveError: The folder holds something already, or cannot be written.
    """
    folder = folder.absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CannotSaveError(
            f"{folder} exists and is not empty.",
            hint="Name a new folder for the phantom; nothing is ever overwritten.",
        )
    phantom = yield from phantom_steps(seed)
    yield Progress(0, 0, "Writing the phantom")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".phantom-") as made:
            _write_files(Path(made) / folder.name, phantom, seed=seed)
            if folder.exists():
                folder.rmdir()  # empty, or this fails and nothing is lost
            (Path(made) / folder.name).replace(folder)
    except OSError as cause:
        raise CannotSaveError(
            f"The phantom could not be written to {folder}: {cause.strerror}.",
            hint="Choose a folder you may write to, with 100 MB free.",
        ) from cause
    return folder


def _write_files(folder: Path, phantom: Phantom, *, seed: int) -> None:
    from engine.io.nifti_image import write_image

    folder.mkdir()
    cine, patient = phantom.cine, phantom.patient
    phase_ms = cine.phase_times_ms[1]
    write_image(folder / f"{folder.name}_4d.nii.gz", cine.voxels, cine.geometry, phase_ms=phase_ms)
    facts = {
        "ED": phantom.ed_phase + 1,
        "ES": phantom.es_phase + 1,
        "Group": patient.group,
        "Height": f"{patient.height_cm:.1f}",
        "NbFrame": cine.phase_count,
        "Weight": f"{patient.weight_kg:.1f}",
    }
    (folder / "Info.cfg").write_text(
        "".join(f"{key}: {value}\n" for key, value in facts.items()), encoding="utf-8"
    )
    (folder / "truth.json").write_text(
        json.dumps(phantom.truth.as_json(seed=seed), indent=2) + "\n", encoding="utf-8"
    )
