"""What a user may give `train` wrongly: one line what, one line what to do, exit code 2."""

import shutil
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from engine.cli import main
from tests.discs import tiny_recipe, write_disc_patients

RECIPE = tiny_recipe(training__epochs=1).to_toml()


@pytest.fixture(scope="module")
def discs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_disc_patients(tmp_path_factory.mktemp("data") / "discs", 4)


class Bench:
    """Runs `train` on a recipe's text and a folder, and checks the manners of its refusal."""

    def __init__(self, place: Path, discs: Path, said: pytest.CaptureFixture[str]) -> None:
        self.place, self.discs, self._said = place, discs, said

    def refuses(self, recipe: str, *more: str, data: Path | None = None) -> tuple[str, str]:
        path, out = self.place / "own.toml", self.place / "out"
        path.write_text(recipe, encoding="utf-8")
        arguments = ["train", path, "--data", data or self.discs, "--out", out, "--device", "cpu"]
        assert main([*map(str, arguments), "--threads", "1", *more]) == 2
        what, hint = self._said.readouterr().err.strip().splitlines()
        assert what.startswith("error: ")
        assert not out.exists(), "what cannot be trained leaves nothing behind"
        return what, hint

    def copy_of_data(self) -> Path:
        return Path(shutil.copytree(self.discs, self.place / "copy"))


@pytest.fixture
def bench(tmp_path: Path, discs: Path, capsys: pytest.CaptureFixture[str]) -> Bench:
    return Bench(tmp_path, discs, capsys)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("batch = 4", "bach = 4", "no field training.bach (did you mean batch?)"),
        ("batch = 4", "lr = 4", "no field training.lr (there are epochs, batch, "),
        ("[training]", "[trainin]", "no field trainin (did you mean training?)"),
        ('name = "unet"', 'name = "unnet"', "no network 'unnet' (did you mean unet?)"),
        ("widths", "withds", "no option 'withds' (did you mean widths?)"),
        ("partial_ce", "partial_ec", "no loss 'partial_ec' (did you mean partial_ce?)"),
        ("short_axis", "shortaxis", "no task 'shortaxis' (did you mean short_axis?)"),
        ('"adamw"', '"adamv"', "training.optimiser: Input should be 'adamw', 'adam' or 'sgd'"),
        ("classes = 4", "classes = 3", "network.classes is 3, but short_axis has 4 classes"),
        ('name = "unet"', 'name = "patravali_unet3d"', "sees 3 dimensions"),
        ("1.0 * partial_ce + 1.0 * partial_dice", "bce", "needs a network with one output"),
        ("1.0 * partial_ce + 1.0 * partial_dice", "weighted_ce", "needs class weights"),
        ('class_weights = "none"', "class_weights = [1.0, 2.0]", "do not fit 4 classes"),
        ('title = "tiny"', "title = ", "is not valid: Invalid value"),
        ("folds = 4", "folds = 5", "4 patients are too few for 5 folds"),
        ("batch = 4", "batch = 400", "only 18 labelled slices to train on"),
        ("smallest_foreground = 0.0", "smallest_foreground = 0.9", "has a usable slice"),
    ],
)
def test_a_wrong_recipe_is_told_by_its_field_and_the_nearest_right_one(
    old: str, new: str, said: str, bench: Bench
) -> None:
    assert RECIPE.count(old) >= 1

    what, hint = bench.refuses(RECIPE.replace(old, new, 1))
    assert said in what
    assert hint


def test_a_wrong_network_or_loss_is_found_before_the_data_are_read(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.datasets.catalogue.read_labelled", None)

    assert "'unnet'" in bench.refuses(RECIPE.replace('"unet"', '"unnet"'))[0]
    assert "partial_cd" in bench.refuses(RECIPE.replace("partial_ce", "partial_cd"))[0]


def change(path: Path, how: Callable[[np.ndarray], np.ndarray]) -> None:
    image = nib.load(path)
    nib.save(nib.Nifti1Image(how(np.asarray(image.dataobj)), image.affine), path)


def with_value(value: float, kind: type) -> Callable[[np.ndarray], np.ndarray]:
    def put(voxels: np.ndarray) -> np.ndarray:
        changed = voxels.astype(kind)
        changed[5:8, 5:8] = value
        return changed

    return put


@pytest.mark.parametrize("value", [7, -1, 1.5])
def test_labels_outside_the_table_are_refused_by_file_and_number(
    value: float, bench: Bench
) -> None:
    data = bench.copy_of_data()
    change(data / "p1" / "p1_frame01_gt.nii.gz", with_value(value, np.float32))

    what, hint = bench.refuses(RECIPE, data=data)
    assert "p1_frame01_gt.nii.gz" in what
    assert f": {value:g}." in what
    assert "1 right ventricle" in hint


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_image_that_is_not_numbers_is_refused_by_file(value: float, bench: Bench) -> None:
    data = bench.copy_of_data()
    change(data / "p2" / "p2_frame02.nii.gz", with_value(value, np.float32))

    what, _ = bench.refuses(RECIPE, data=data)
    assert f"{data / 'p2' / 'p2_frame02.nii.gz'} holds voxels that are not numbers" in what


def test_a_class_that_no_label_has_is_told(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """Such as a mask of the left ventricle numbered 1, which is read as the right one."""
    data = bench.copy_of_data()
    for file in data.rglob("*_gt.nii.gz"):
        change(file, lambda voxels: (voxels == 3).astype(np.uint8))
    recipe = bench.place / "own.toml"
    recipe.write_text(RECIPE, encoding="utf-8")
    out = str(bench.place / "run")

    main(["train", str(recipe), "--data", str(data), "--out", out, "--device", "cpu"])

    assert "No training image has the class myocardium or lv" in caplog.text


def test_mixed_channel_counts_are_refused_by_name(bench: Bench) -> None:
    flat = bench.place / "flat"
    flat.mkdir()
    for number in range(4):
        for end in (".nii.gz", "_gt.nii.gz"):
            source = bench.discs / f"p{number}" / f"p{number}_frame01{end}"
            shutil.copy(source, flat / f"q{number}{end}")
    colours = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])
    change(
        flat / "q1.nii.gz",
        lambda voxels: np.repeat(voxels[..., None], 3, -1).astype(np.uint8).view(colours)[..., 0],
    )

    what, _ = bench.refuses(RECIPE, data=flat)
    assert "q1 has an image of 3 x 48 x 48 x 3" in what
    assert "1 channels a pixel" in what


def test_a_folder_without_patients_says_why(bench: Bench) -> None:
    (bench.place / "empty").mkdir()
    assert "holds no image" in bench.refuses(RECIPE, data=bench.place / "empty")[0]
    assert "no folder" in bench.refuses(RECIPE, data=bench.place / "nowhere")[0]
    data = bench.copy_of_data()
    for path in data.rglob("*_gt.nii.gz"):
        path.unlink()
    assert "No labelled patients" in bench.refuses(RECIPE, data=data)[0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["train"], "Missing argument 'recipe'"),
        (["train", "ehab-hart", "--data", ".", "--out", "x"], "did you mean ehab-heart"),
        (["train", "ehab-heart", "--data", "."], "Missing option '--out'"),
        (["experiment", "run", "monzino", "--folds", "0", "--out", "x"], "value for '--folds'"),
        (
            ["train", "r", "--data", ".", "--out", "x", "--device", "gpu"],
            "'--device': 'gpu' is not",
        ),
    ],
)
def test_a_wrong_call_names_its_option(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 2
    assert said in lines[0]
