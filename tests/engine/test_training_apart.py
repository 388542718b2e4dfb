"""Training in a process of its own: words, waiting, killing, memory, and what is known before."""

import json
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from engine.errors import CannotSaveError, ModelError
from engine.learning.apart import looking, training
from engine.learning.apart.looking import look_to_end
from engine.learning.apart.order import (
    TrainingEnd,
    TrainingNews,
    TrainingOrder,
    Word,
    fault_as_json,
    fault_from_json,
    from_line,
    to_line,
)
from engine.learning.apart.outlook import Outlook, read_outlook
from engine.learning.apart.places import claim_of_device, claim_of_run, claimed
from engine.learning.apart.run_list import LIST, NotedRun, RunState, read_runs, write_runs
from engine.learning.apart.running import Reins, look_apart, train_apart
from engine.learning.apart.training import train_to_end
from engine.learning.apart.worker import Ears
from engine.learning.models import read_entry
from engine.learning.training import train
from engine.learning.watched import read_watched, watched_epochs
from engine.progress import Progress, run_to_end
from engine.recipe import change_recipe
from tests.discs import tiny_recipe, write_disc_patients

RECIPE = tiny_recipe(
    network__options={"widths": [4, 8], "dropout": 0.3},
    augmentation__rotation_degrees=20.0,
    split__validation="held_out",
    training__epochs=4,
    training__average=0.9,
    training__keep="best",
)


@pytest.fixture(autouse=True)
def own_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEARTSEG_TRAININGS", str(tmp_path / "trainings"))
    return tmp_path / "trainings"


@pytest.fixture
def no_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' own process keeps its memory."""
    monkeypatch.setattr(training, "limit_memory", lambda *_: None)
    monkeypatch.setattr(looking, "limit_memory", lambda *_: None)


@pytest.fixture(scope="module")
def discs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_disc_patients(tmp_path_factory.mktemp("data") / "discs", 4)


@pytest.fixture(scope="module")
def whole(discs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nobody interrupted, from the same files."""
    from engine.datasets.catalogue import read_labelled

    out = tmp_path_factory.mktemp("whole") / "run"
    patients = run_to_end(read_labelled(discs))
    return run_to_end(train(patients, RECIPE, out, device="cpu", threads=1))


def order(discs: Path, out: Path, **more: Any) -> TrainingOrder:
    facts = {"recipe": RECIPE, "device": "cpu", "threads": 1} | more
    return TrainingOrder(data=(discs,), out=out, **facts)


def learned(out: Path) -> list[dict[str, Any]]:
    """The log without what depends on the machine."""
    rows = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    for row in rows:
        for name in ("seconds", "samples_per_second", "peak_memory_mb"):
            del row[name]
    return rows


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


class Here:
    """Both ends of a process, without one."""

    def __init__(self, heed: Callable[["Here", TrainingNews], None] = lambda *_: None) -> None:
        self.paused = self.stopped = self.keeping = False
        self.news = threading.Event()
        self.told: list[TrainingNews] = []
        self._heed = heed

    def tell(self, news: TrainingNews) -> None:
        self.told.append(news)
        self._heed(self, news)

    @property
    def rows(self) -> list[int]:
        return [int(news.row["epoch"] or 0) for news in self.told if news.row is not None]


def test_paused_killed_and_resumed_it_ends_like_an_uninterrupted_run(
    discs: Path, whole: Path, tmp_path: Path
) -> None:
    """SIGKILL from outside, as the system does it; the process is gone, the run goes on."""
    out, reins = tmp_path / "run", Reins()
    wanted, paused = order(discs, out), list[int]()

    def heed(news: Progress) -> None:
        assert isinstance(news, TrainingNews)
        epoch = None if news.row is None else news.row["epoch"]
        if epoch == 1:
            reins.pause()
        if news.paused:
            paused.append(news.done)
            if len(paused) == 3:
                reins.go_on()
        if epoch == 2:
            assert reins.process_id is not None
            os.kill(reins.process_id, signal.SIGKILL)

    with pytest.raises(ModelError) as caught:
        run_to_end(train_apart(wanted, reins), tell=heed)
    assert len(paused) >= 3
    assert len(set(paused)) == 1, "to pause is not to ask for the next batch"
    assert "memory was full" in caught.value.what
    assert "training.batch 2 (it is 4)" in caught.value.hint
    assert reins.process_id is not None
    assert not is_alive(reins.process_id)

    again = order(discs, out, resume=True)
    assert run_to_end(train_apart(again)) is TrainingEnd.DONE
    assert learned(out) == learned(whole)
    ours, theirs = (load_file(run / "weights.safetensors") for run in (out, whole))
    assert all(torch.equal(ours[name], value) for name, value in theirs.items())


def test_a_training_that_nobody_follows_any_more_leaves_no_process(
    discs: Path, tmp_path: Path
) -> None:
    reins = Reins()
    steps = train_apart(order(discs, tmp_path / "run"), reins)
    next(steps)
    assert reins.process_id is not None
    assert is_alive(reins.process_id)
    steps.close()
    assert not is_alive(reins.process_id)


def test_a_batch_that_is_too_large_is_told_with_one_that_fits(discs: Path) -> None:
    """Under a limit to the memory; the process says so instead of being ended by the system."""
    recipe = change_recipe(
        RECIPE,
        {"network.options": {"widths": (96, 8)}, "image.size": (128, 128), "training.batch": 16},
    )
    wanted = order(discs, Path(), recipe=recipe, memory_mb=600)
    outlook = read_outlook(run_to_end(look_apart(wanted)))

    assert outlook.fault is not None
    assert "too small for a batch of 16" in outlook.fault.what
    assert "training.batch=" in outlook.fault.hint
    assert outlook.parts[0].samples == 18


@pytest.mark.usefixtures("no_limit")
def test_stopped_and_kept_it_is_a_model_of_its_best_epoch(discs: Path, tmp_path: Path) -> None:
    def keep_after_two(here: Here, _news: TrainingNews) -> None:
        here.keeping = len(here.rows) == 2

    out, here = tmp_path / "run", Here(keep_after_two)
    assert train_to_end(order(discs, out), here, here) == "kept"

    entry = read_entry(out)
    assert entry.scores["summary"]["dice"].keys() >= {"ED lv", "ES lv", "ED rv"}
    assert "2 epochs" in entry.card
    assert entry.recipe.training.epochs == 4
    assert not (out / "state.safetensors").exists()


@pytest.mark.usefixtures("no_limit")
def test_a_stopped_run_can_be_kept_later(discs: Path, tmp_path: Path) -> None:
    def stop_after_one(here: Here, _news: TrainingNews) -> None:
        here.stopped = len(here.rows) == 1

    out, here = tmp_path / "run", Here(stop_after_one)
    assert train_to_end(order(discs, out), here, here) == "stopped"
    assert (out / "state.safetensors").is_file()
    (out / "weights.safetensors").unlink()  # as if killed between the two files
    later = Here()
    later.keeping = True

    assert train_to_end(order(discs, out, resume=True), later, later) == "kept"
    assert (out / "weights.safetensors").is_file()
    assert later.rows == []


@pytest.mark.usefixtures("no_limit")
def test_a_training_waits_for_the_one_that_has_the_device(discs: Path, tmp_path: Path) -> None:
    here = Here(lambda here, news: setattr(here, "stopped", "Waiting" in news.doing))
    with claimed(claim_of_device("cpu")) as free:
        assert free
        assert train_to_end(order(discs, tmp_path / "run"), here, here) == "stopped"
    assert "another training has this device" in here.told[0].doing
    assert not (tmp_path / "run").exists()


def test_two_processes_never_train_into_one_folder(
    discs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "_PATIENCE_S", 0.0)
    here = Here()
    with (
        claimed(claim_of_run(tmp_path / "run")),
        pytest.raises(ModelError, match="Another process"),
    ):
        train_to_end(order(discs, tmp_path / "run"), here, here)


@pytest.mark.usefixtures("no_limit")
def test_a_loss_that_is_no_number_names_its_batch_and_keeps_the_last_good_state(
    discs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.learning.learner import Learner, NotFinite

    learn, calls = Learner.learn, []

    def break_down(self: Learner, *arguments: Any, **more: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 6:  # the second batch of the second epoch
            raise NotFinite
        return learn(self, *arguments, **more)

    monkeypatch.setattr(Learner, "learn", break_down)
    here = Here()
    with pytest.raises(ModelError, match=r"epoch 2, batch 2 \(p\d E[DS] slice \d") as caught:
        train_to_end(order(discs, tmp_path / "run"), here, here)
    assert "What the epoch before learned is kept" in caught.value.hint
    assert (tmp_path / "run/state.safetensors").is_file()
    assert here.rows == [1]


@pytest.mark.usefixtures("no_limit")
def test_a_full_disk_is_told_and_the_state_of_the_epoch_before_is_kept(
    discs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.learning import watched

    written = []

    def fill_up(path: Path, content: bytes) -> None:
        written.append(path.name)
        if path.name == "epoch-0002.npz":
            raise CannotSaveError("No space left on device.", hint="Make room.")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)

    monkeypatch.setattr(watched, "write_atomically", fill_up)
    here = Here()
    with pytest.raises(CannotSaveError):
        train_to_end(order(discs, tmp_path / "run"), here, here)
    assert (tmp_path / "run/state.safetensors").is_file()
    monkeypatch.undo()


@pytest.fixture(scope="module")
def outlook(discs: Path, tmp_path_factory: pytest.TempPathFactory) -> Outlook:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(looking, "limit_memory", lambda *_: None)
        here = Here()
        wanted = order(discs, Path())
        found = json.loads(json.dumps(look_to_end(wanted, here, here)))
    return read_outlook(found)


def test_before_the_start_one_sees_patients_balance_pictures_time_and_memory(
    outlook: Outlook,
) -> None:
    parts = {part.name: (part.patients, part.samples) for part in outlook.parts}
    assert parts == {"Trained on": (3, 18), "Validated": (1, 6), "Held out": (1, 6)}
    assert sum(outlook.shares.values()) == pytest.approx(1)
    assert list(outlook.shares) == ["background", "rv", "myocardium", "lv"]
    assert outlook.shares["background"] > outlook.shares["lv"] > 0
    assert outlook.pictures is not None
    assert outlook.pictures.images.shape == (12, 32, 32)
    as_it_is, changed = outlook.pictures.labels[0], outlook.pictures.labels[1]
    assert set(np.unique(as_it_is)) == {0, 1, 2, 3}
    assert (as_it_is != changed).any(), "augmentation turns it"
    assert outlook.estimate is not None
    assert outlook.estimate.epoch_seconds > 0
    assert outlook.estimate.epochs == 4
    assert outlook.estimate.peak_mb is not None
    assert outlook.fault is None


def test_devices_are_tried_and_told_in_words(outlook: Outlook) -> None:
    processor, graphics = outlook.devices
    assert processor.usable
    assert "core" in processor.said
    assert graphics.key == "cuda"
    assert graphics.said
    assert graphics.usable == torch.cuda.is_available()
    assert {option.name for option in outlook.networks["unet"]} >= {"widths", "dropout"}
    assert "partial_dice" in outlook.losses


def of_one_patient(place: Path, discs: Path) -> Path:
    (place / "one").mkdir()
    (place / "one" / "p0").symlink_to(discs / "p0")
    return place / "one"


def without_labels(place: Path, discs: Path) -> Path:
    folder = write_disc_patients(place / "bare", 2)
    for label in folder.rglob("*_gt.nii.gz"):
        label.unlink()
    return folder


def with_other_numbers(place: Path, discs: Path) -> Path:
    folder = write_disc_patients(place / "mixed", 2)
    label = next(folder.rglob("*_gt.nii.gz"))
    image = nib.load(label)
    voxels = np.asarray(image.dataobj).astype(np.uint8)
    voxels[voxels == 3] = 9
    nib.save(nib.Nifti1Image(voxels, image.affine), label)
    return folder


def with_a_twin(place: Path, discs: Path) -> Path:
    """A patient once more under another name, and one too few for the folds."""
    folder = write_disc_patients(place / "twins", 2)
    shutil.copytree(folder / "p0", folder / "p9")
    return folder


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (of_one_patient, "1 patients are too few for 4 folds"),
        (without_labels, "No labelled patients were found"),
        (with_a_twin, "p0 and p9 hold the same image"),
        (with_other_numbers, "values that are no structures of the heart: 9"),
    ],
)
@pytest.mark.usefixtures("no_limit")
def test_data_that_cannot_be_trained_on_are_told_before_the_start(
    make: Callable[[Path, Path], Path], said: str, discs: Path, tmp_path: Path
) -> None:
    here = Here()
    found = read_outlook(look_to_end(order(make(tmp_path, discs), Path()), here, here))

    assert found.fault is not None
    assert said in found.fault.what + " ".join(found.notes)
    assert found.fault.hint
    assert found.devices, "what is known without data is told"


def test_the_same_slices_are_watched_after_every_epoch(whole: Path) -> None:
    assert watched_epochs(whole) == [1, 2, 3, 4]
    first, called = read_watched(whole, 1)
    last, called_last = read_watched(whole, 4)

    assert first.names == last.names
    assert all(name.startswith("p") for name in first.names)
    assert called.shape == called_last.shape == first.labels.shape
    right = [(c == first.labels).mean() for c in (called, called_last)]
    assert right[1] > right[0], "it learns"
    rows = learned(whole)
    assert rows[-1]["dice"] > rows[0]["dice"]
    assert {"dice.rv", "dice.myocardium", "dice.lv"} <= rows[0].keys()


@pytest.fixture
def pipe() -> Iterator[tuple[Ears, int]]:
    inward, outward = os.pipe()
    yield Ears(inward), outward
    os.close(inward)


def test_words_are_heard_and_a_closed_pipe_says_stop(pipe: tuple[Ears, int]) -> None:
    ears, outward = pipe
    os.write(outward, b"the task\npause\nkeep")
    assert ears.first() == "the task"
    os.write(outward, f"\n{Word.GO_ON.value}\nnonsense\n".encode())
    ears.listen()
    os.close(outward)
    while not ears.stopped:
        assert ears.news.wait(10)
    assert ears.keeping
    assert not ears.paused


def test_lines_carry_orders_news_and_faults(discs: Path) -> None:
    wanted = order(discs, Path("/out"), memory_mb=7)
    assert TrainingOrder.from_json(json.loads(json.dumps(wanted.as_json()))) == wanted
    news = TrainingNews(3, 9, "Epoch 1", row={"epoch": 1, "loss": 0.5}, signs=({"epoch": 1},))
    kind, said = from_line(to_line("news", news.as_json()))
    assert (kind, TrainingNews.from_json(said)) == ("news", news)
    fault = fault_from_json(fault_as_json(CannotSaveError("Full.", hint="Make room.")))
    assert isinstance(fault, CannotSaveError)
    assert (fault.what, fault.hint) == ("Full.", "Make room.")


def test_the_list_of_trainings_outlives_the_program(discs: Path, own_list: Path) -> None:
    fault = ModelError("It failed.", hint="Try again.")
    runs = [
        NotedRun("a", order(discs, Path("/a")), RunState.FAILED, fault),
        NotedRun("b", order(discs, Path("/b")), RunState.RUNNING),
        NotedRun("c", order(discs, Path("/c")), RunState.QUEUED),
    ]
    write_runs(own_list, runs)
    found = read_runs(own_list)

    assert [run.order for run in found] == [run.order for run in runs]
    assert [run.state for run in found] == [RunState.FAILED, RunState.STOPPED, RunState.QUEUED]
    assert found[0].fault is not None
    assert found[0].fault.what == fault.what


@pytest.mark.parametrize("content", ["nonsense", "{}", "[1]", '[{"key": "a"}]'])
def test_a_damaged_list_is_set_aside_and_not_lost(content: str, own_list: Path) -> None:
    own_list.mkdir()
    (own_list / LIST).write_text(content)

    assert read_runs(own_list) == []
    kept = (own_list / LIST).with_suffix(".damaged")
    assert content == "{}" or kept.read_text() == content
