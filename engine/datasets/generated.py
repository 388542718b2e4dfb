"""Generated hearts as labelled patients, with labels that are exact by construction."""

import json
from collections.abc import Sequence
from pathlib import Path

from engine.datasets.labelled import LabelledPatient, LabelledVolume, bits_of
from engine.datasets.phantom import Phantom, phantom_steps
from engine.errors import ModelError
from engine.progress import Steps

_TRUTH = "truth.json"


def labelled_phantoms(
    seeds: Sequence[int],
    *,
    phases: int = 25,
    slices: int = 11,
    shape_yx: tuple[int, int] = (224, 256),
) -> Steps[list[LabelledPatient]]:
    """Draw hearts and label their end-diastole and end-systole.

    Args:
        seeds: One for each patient; equal seeds and sizes give equal patients.
        phases: Over one beat; fewer are drawn faster.
        slices: See `make_phantom`.
        shape_yx: Pixels of a slice.
    """
    patients = []
    for seed in seeds:
        phantom = yield from phantom_steps(seed, phases=phases, slices=slices, shape_yx=shape_yx)
        patients.append(_as_patient(f"phantom{seed:03d}", phantom))
    return patients


def is_phantom_folder(folder: Path) -> bool:
    """Whether `heartseg phantom` wrote this folder."""
    return (folder / _TRUTH).is_file() and (folder / f"{folder.name}_4d.nii.gz").is_file()


def read_phantom_folder(folder: Path) -> Steps[LabelledPatient]:
    """The patient of a folder that `heartseg phantom` wrote, drawn again from its seed.

    Such a folder holds no label files; the seed gives image and labels bit for bit.

    Raises:
        ModelError: `truth.json` is damaged.
    """
    try:
        seed = int(json.loads((folder / _TRUTH).read_text(encoding="utf-8"))["seed"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"{folder / _TRUTH} does not name the phantom's seed.",
            hint="Write the phantom again with `heartseg phantom`.",
        ) from error
    return _as_patient(folder.name, (yield from phantom_steps(seed)))


def _as_patient(name: str, phantom: Phantom) -> LabelledPatient:
    volumes = tuple(
        LabelledVolume(
            f"{name} {key}",
            phantom.cine.voxels[phase],
            bits_of(phantom.labels.voxels[phase]),
            phantom.cine.geometry.spacing_mm,
            key,
        )
        for key, phase in (("ED", phantom.ed_phase), ("ES", phantom.es_phase))
    )
    return LabelledPatient(name, phantom.patient.group, volumes)
