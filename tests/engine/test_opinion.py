"""What a model says of single slices is what it says of the whole stack."""

import numpy as np
import pytest
import torch

from engine.cine import Cine
from engine.errors import ModelError
from engine.geometry import Geometry
from engine.learning.inference import predict
from engine.learning.opinion import form_opinion
from engine.progress import run_to_end
from engine.structures import Structure
from tests.engine.test_inference import beating_disc, model, recipe, score_volume


@pytest.mark.parametrize("sample", ["slice", "volume"])
def test_a_slice_is_as_likely_as_in_its_volume(sample: str) -> None:
    cine, made = beating_disc(), model(recipe(data={"sample": sample}))
    opinion = run_to_end(form_opinion(made, cine, device="cpu"))
    whole = score_volume(
        made.network,
        made.recipe,
        cine.voxels[4],
        cine.geometry.spacing_mm,
        torch.device("cpu"),
    )

    for number in (0, 3):
        found = opinion.look((4, number))
        assert found.shape == (4, 40, 52)
        assert found.sum(axis=0) == pytest.approx(1, abs=1e-5)
        assert found == pytest.approx(whole[:, number], abs=1e-5)


@pytest.mark.parametrize(
    "axes", [(1.2, 1.2, 8), (-1.2, 1.2, 8), (1.2, -1.2, 8), (1.2, 1.2, -8), (-1.2, -1.2, -8)]
)
def test_however_a_stack_is_stored_its_slices_are_its_own(axes: tuple[float, ...]) -> None:
    """Every slice has a disc elsewhere, so that a slice or side mixed up would be seen."""
    y, x = np.mgrid[:40, :52]
    discs = [np.hypot(y - 14 - 3 * z, x - 12 - 6 * z) < 6 + z for z in range(5)]
    geometry = Geometry.from_affine(np.diag([*axes, 1]), (5, 40, 52))
    cine = Cine("discs", np.stack(discs)[None].astype(np.uint16) * 100, geometry)
    made = model(recipe(scoring={"clean_up": "none"}))
    opinion = run_to_end(form_opinion(made, cine, device="cpu"))
    labels = run_to_end(predict(made, cine, phases=(0,), device="cpu")).voxels[0]

    for number in range(5):
        likeliest = opinion.look((0, number)).argmax(axis=0)
        assert np.array_equal(likeliest, labels[number])
        assert np.array_equal(likeliest == Structure.LV, discs[number])


def test_models_for_other_things_are_not_asked() -> None:
    made = model(recipe(data={"task": "polyp"}, network={"classes": 1}))
    with pytest.raises(ModelError, match="other things"):
        run_to_end(form_opinion(made, beating_disc(), device="cpu"))
