"""Generated hearts that a recipe trains on besides its patients."""

from pathlib import Path

import pytest

from engine.datasets.samples import SampleSource
from engine.errors import ModelError
from engine.learning.training import train
from engine.learning.training_data import draw_hearts
from engine.progress import run_to_end
from tests.discs import disc_patients, tiny_recipe


def test_no_hearts_are_drawn_unless_a_recipe_asks() -> None:
    assert run_to_end(draw_hearts(tiny_recipe())) == []


def test_drawn_hearts_are_always_the_same_and_never_those_models_are_tried_on() -> None:
    (one,) = run_to_end(draw_hearts(tiny_recipe(data__phantoms=1)))
    (other,) = run_to_end(draw_hearts(tiny_recipe(data__phantoms=1)))

    assert one.name == "phantom100000"
    assert [volume.phase for volume in one.volumes] == ["ED", "ES"]
    assert all(volume.complete for volume in one.volumes)
    assert (one.volumes[0].image == other.volumes[0].image).all()


def test_only_the_short_axis_has_phantoms() -> None:
    recipe = tiny_recipe(data__phantoms=1, data__task="left_atrium", network__classes=2)
    with pytest.raises(ModelError, match="phantoms"):
        run_to_end(draw_hearts(recipe))


def test_hearts_are_trained_on_and_never_held_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    start = SampleSource.__init__

    def watch(self: SampleSource, patients: object, *rest: object, **named: object) -> None:
        seen.append([patient.name for patient in patients])  # type: ignore[attr-defined]
        start(self, patients, *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(SampleSource, "__init__", watch)
    recipe = tiny_recipe(data__phantoms=1, training__epochs=1)
    run_to_end(train(disc_patients(4), recipe, tmp_path / "run", device="cpu", threads=1))

    assert "phantom100000" in seen[0]
    assert "phantom100000" not in str((tmp_path / "run" / "scores.json").read_text())
    assert "phantom100000" in (tmp_path / "run" / "split.json").read_text()
