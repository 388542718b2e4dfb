"""The self-test in the window: what it shows, tells and copies, with prepared results."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QComboBox, QLabel, QProgressBar, QPushButton, QScrollArea, QWidget
from pytestqt.qtbot import QtBot

from engine.errors import ModelError
from engine.learning.execution.machine import Machine
from engine.learning.execution.self_test import OWN_RUNTIME, RuntimeResult, SelfTest
from engine.progress import Progress, Steps
from heartseg_gui.app import Window
from heartseg_gui.controllers.prediction import predict_steps
from heartseg_gui.controllers.self_testing import self_test_steps
from heartseg_gui.jobs import Lane
from heartseg_gui.views.models.self_test_dialog import SelfTestDialog
from heartseg_gui.views.settings_dialog import SettingsDialog
from tests.engine.test_models import put_model
from tests.engine.test_models_onnx import put
from tests.gui.shell import open_shell, open_study
from tests.onnx_files import pointwise_network

MACHINE = Machine(
    processor="Example Processor with a Long Name @ 2.50GHz",
    instructions=("AVX2", "AVX-512", "VNNI", "AMX"),
    threads=6,
    free_memory_mb=2048.0,
    graphics="",
    torch="9.8.7+cpu",
    openvino="2026.5.4",
)
WHY_NOT = "it labels 0.4 % of the heart otherwise than PyTorch in 32 bits; at most 0.1 % may differ"


def result(*, ms: float = 12.5) -> SelfTest:
    results = (
        RuntimeResult("torch", "PyTorch, 32 bits, CPU", "", 40.0, 0.0),
        RuntimeResult("torch-fp16", "PyTorch, 16 bits (fp16)", "on a GPU only"),
        RuntimeResult("openvino", "OpenVINO, 32 bits, CPU", "", ms, 0.012),
        RuntimeResult("openvino-bf16", "OpenVINO, 16 bits (bf16), CPU", WHY_NOT, 6.25, 0.4),
    )
    return SelfTest("a", "cpu", results, "openvino", MACHINE, (128, 96), "2026-01-02 03:04")


@dataclass
class Bench:
    """Self-tests that end as the test has set, and what was asked of them."""

    answer: Callable[[], SelfTest] = result
    asked: list[tuple[str, str, bool]] = field(default_factory=list)
    free: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.free.set()

    def steps(self, model: str, device: str, afresh: bool) -> Steps[Any]:
        self.asked.append((model, device, afresh))
        yield Progress(0, 0, "Measuring everything")
        while not self.free.wait(0.02):
            yield Progress(1, 4, "Held up")
        return self.answer()


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path, bench: Bench) -> Iterator[Window]:
    for window in open_shell(qtbot, tmp_path, self_test=bench.steps):
        yield window
        bench.free.set()


def settle(qtbot: QtBot, window: Window) -> None:
    qtbot.waitUntil(lambda: not window.controllers.self_testing.busy, timeout=60_000)


def ask(qtbot: QtBot, window: Window) -> SelfTestDialog:
    """Ask for the self-test as the help menu does."""
    window.actions["self_test"].trigger()
    dialog = window.main.findChildren(SelfTestDialog)[-1]
    qtbot.waitUntil(dialog.isVisible)
    return dialog


def shown(widget: QWidget) -> list[str]:
    labels = [label for label in widget.findChildren(QLabel) if label.isVisible()]
    return [label.text().replace("\u200b", "") for label in labels]


def press(qtbot: QtBot, widget: QWidget, text: str) -> None:
    qtbot.mouseClick(button(widget, text), Qt.MouseButton.LeftButton)


def button(widget: QWidget, text: str) -> QPushButton:
    return next(b for b in widget.findChildren(QPushButton) if b.text() == text)


def copied() -> str:
    return QGuiApplication.clipboard().text()


def test_every_runtime_is_shown_and_why_it_is_not_used(qtbot: QtBot, window: Window) -> None:
    dialog = ask(qtbot, window)
    settle(qtbot, window)
    texts = shown(dialog)

    for runtime in result().results:
        assert runtime.title in texts
    for said in ("40.0", "12.5", "0.012 %", "0.400 %", f"Not used: {WHY_NOT}", "Not used: slower"):
        assert said in texts
    assert texts.count("Used") == 1
    assert "128 x 96 pixels" in " ".join(texts)
    assert "2026-01-02 03:04" in " ".join(texts)
    dialog.close()


def test_what_is_used_stands_out(qtbot: QtBot, window: Window) -> None:
    dialog = ask(qtbot, window)
    settle(qtbot, window)
    bold = {label.text() for label in dialog.findChildren(QLabel) if label.font().bold()}

    assert {"OpenVINO, 32 bits, CPU", "12.5", "Used"} <= bold
    assert "PyTorch, 32 bits, CPU" not in bold
    dialog.close()


def test_the_machine_is_described(qtbot: QtBot, window: Window) -> None:
    dialog = ask(qtbot, window)
    settle(qtbot, window)

    assert {
        MACHINE.processor,
        "AVX2, AVX-512, VNNI, AMX",
        "6",
        "2.0 GiB",
        "none that PyTorch can use",
        "9.8.7+cpu",
        "2026.5.4",
    } <= set(shown(dialog))
    dialog.close()


def test_all_of_it_can_be_copied(qtbot: QtBot, window: Window) -> None:
    dialog = ask(qtbot, window)
    settle(qtbot, window)
    press(qtbot, dialog, "Copy")
    lines = copied().splitlines()

    assert lines[0].startswith("HeartSeg ")
    assert result().as_text() in copied()
    assert any(line.startswith("OpenVINO, 32 bits, CPU") and "used" in line for line in lines)
    dialog.close()


def test_the_chosen_model_and_device_are_tested(qtbot: QtBot, window: Window, bench: Bench) -> None:
    window.settings.set_device("cpu")
    window.controllers.choosing.choose("user/mine")
    dialog = ask(qtbot, window)
    settle(qtbot, window)

    assert bench.asked == [("user/mine", "cpu", False)]
    dialog.close()


def test_test_again_forgets_what_was_found(qtbot: QtBot, window: Window, bench: Bench) -> None:
    dialog = ask(qtbot, window)
    settle(qtbot, window)
    bench.answer = lambda: result(ms=9.9)
    press(qtbot, dialog, "Test again")
    settle(qtbot, window)

    assert bench.asked == [("", "auto", False), ("", "auto", True)]
    assert "9.9" in shown(dialog)
    assert "12.5" not in shown(dialog)
    dialog.close()


def test_meanwhile_progress_is_told_and_the_window_lives(
    qtbot: QtBot, window: Window, bench: Bench
) -> None:
    bench.free.clear()
    dialog = ask(qtbot, window)
    qtbot.waitUntil(lambda: "Held up…" in shown(dialog))
    bar = dialog.findChild(QProgressBar)

    assert bar.isVisible()
    assert (bar.value(), bar.maximum()) == (1, 4)
    assert not button(dialog, "Test again").isEnabled()
    assert not button(dialog, "Copy").isEnabled()
    bench.free.set()
    settle(qtbot, window)
    assert not bar.isVisible()
    assert button(dialog, "Test again").isEnabled()
    dialog.close()


def test_it_waits_for_the_prediction_under_way(qtbot: QtBot, window: Window, bench: Bench) -> None:
    other = Bench()
    other.free.clear()
    window.jobs.add("Predict", other.steps("", "", False), lane=Lane.COMPUTE)
    dialog = ask(qtbot, window)
    assert "Waiting for the work under way…" in shown(dialog)
    assert bench.asked == []
    other.free.set()
    settle(qtbot, window)

    assert "12.5" in shown(dialog)
    dialog.close()


def test_escape_closes_it_and_stops_the_test(qtbot: QtBot, window: Window, bench: Bench) -> None:
    bench.free.clear()
    dialog = ask(qtbot, window)
    qtbot.waitUntil(lambda: "Held up…" in shown(dialog))
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not window.jobs.jobs)

    assert not window.controllers.self_testing.busy
    assert window.dialogs.error is None
    bench.free.set()
    again = ask(qtbot, window)
    settle(qtbot, window)
    assert "12.5" in shown(again)
    again.close()


def test_a_test_that_was_stopped_in_the_status_bar_can_be_started_again(
    qtbot: QtBot, window: Window, bench: Bench
) -> None:
    bench.free.clear()
    dialog = ask(qtbot, window)
    qtbot.waitUntil(lambda: "Held up…" in shown(dialog))
    window.views.jobs.cancel_shown()
    settle(qtbot, window)
    assert "The self-test was stopped." in shown(dialog)
    bench.free.set()
    press(qtbot, dialog, "Test again")
    settle(qtbot, window)

    assert "12.5" in shown(dialog)
    dialog.close()


def fail(error: Exception) -> Callable[[], SelfTest]:
    def raise_it() -> SelfTest:
        raise error

    return raise_it


def test_an_error_is_told_in_the_dialog_and_goes_with_the_next_result(
    qtbot: QtBot, window: Window, bench: Bench
) -> None:
    bench.answer = fail(ModelError("The model is broken.", hint="Take another."))
    dialog = ask(qtbot, window)
    settle(qtbot, window)
    said = "The model is broken.\nTake another."
    assert said in shown(dialog)
    assert window.dialogs.error is None
    press(qtbot, dialog, "Copy")
    assert said in copied()
    bench.answer = result
    press(qtbot, dialog, "Test again")
    settle(qtbot, window)

    assert said not in shown(dialog)
    assert "12.5" in shown(dialog)
    dialog.close()


def test_a_mistake_of_ours_is_told_and_its_details_copied(
    qtbot: QtBot, window: Window, bench: Bench
) -> None:
    bench.answer = fail(ZeroDivisionError("divided by nothing"))
    dialog = ask(qtbot, window)
    settle(qtbot, window)
    press(qtbot, dialog, "Copy")

    assert any("a mistake in the program" in text for text in shown(dialog))
    assert "ZeroDivisionError: divided by nothing" in copied()
    dialog.close()


def test_the_settings_ask_for_the_device_that_stands_there(
    qtbot: QtBot, window: Window, bench: Bench
) -> None:
    """Not yet the one that is remembered; and the settings stay open behind it."""
    window.actions["settings"].trigger()
    settings = window.main.findChild(SettingsDialog)
    qtbot.waitUntil(settings.isVisible)
    settings.device.setFocus()
    qtbot.keyClick(settings.device, Qt.Key.Key_Down)
    press(qtbot, settings, "Which is quickest here?")
    dialog = settings.findChild(SelfTestDialog)
    settle(qtbot, window)

    assert bench.asked == [("", "cpu", False)]
    assert "12.5" in shown(dialog)
    assert window.settings.device == "auto"
    dialog.close()
    assert settings.isVisible()
    settings.close()


def test_the_letter_of_the_device_still_leads_to_it(qtbot: QtBot, window: Window) -> None:
    window.actions["settings"].trigger()
    settings = window.main.findChild(SettingsDialog)
    qtbot.waitUntil(settings.isVisible)
    (label,) = (each for each in settings.findChildren(QLabel) if each.text() == "&Device")

    assert isinstance(label.buddy(), QComboBox)
    assert label.buddy() is settings.device
    settings.close()


@pytest.mark.parametrize("size", [(760, 440), (500, 300)])
def test_no_text_is_cut_off_on_a_small_screen(
    qtbot: QtBot, window: Window, bench: Bench, size: tuple[int, int]
) -> None:
    """800 x 500 is a screen of 1600 x 1000 at 200 %; what has no room can be scrolled to."""
    dialog = ask(qtbot, window)
    settle(qtbot, window)
    dialog.resize(*size)
    qtbot.waitUntil(lambda: dialog.width() == size[0])
    area = dialog.findChild(QScrollArea)
    page = area.widget()

    assert dialog.minimumSizeHint().width() <= size[0]
    assert dialog.minimumSizeHint().height() <= size[1]
    assert page.width() <= area.viewport().width()
    for label in page.findChildren(QLabel):
        wanted = label.heightForWidth(label.width()) if label.wordWrap() else 0
        assert label.height() >= max(wanted, label.sizeHint().height() if not wanted else 0)
        assert label.width() >= label.minimumSizeHint().width()
        assert page.rect().contains(label.mapTo(page, QPoint(0, 0)))
    dialog.close()


@pytest.fixture
def real(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Window]:
    """The window with the true steps, a small model, one of others and a broken one."""
    monkeypatch.setenv("HEARTSEG_CACHE", str(tmp_path / "cache"))
    models = tmp_path / "models"
    monkeypatch.setenv("HEARTSEG_MODELS", str(models))
    put_model(models / "small", title="Small net")
    content = pointwise_network(image=("n", 1, 64, 64))
    put(models / "theirs", content, image__fit="crop", image__size=(64, 64))
    put(models / "broken", content[:-40])
    yield from open_shell(qtbot, tmp_path, self_test=self_test_steps, predict=predict_steps)


def test_what_is_remembered_is_shown_again(qtbot: QtBot, real: Window) -> None:
    real.controllers.choosing.choose("user/small")
    found: list[SelfTest] = []
    real.controllers.self_testing.found.connect(found.append)
    for _ in range(2):
        dialog = ask(qtbot, real)
        settle(qtbot, real)
        dialog.close()

    assert found[0] == found[1]  # to the last digit of the times


def test_a_network_of_others_is_timed_and_nothing_to_choose(qtbot: QtBot, real: Window) -> None:
    real.controllers.choosing.choose("user/theirs")
    found: list[SelfTest] = []
    real.controllers.self_testing.found.connect(found.append)
    dialog = ask(qtbot, real)
    settle(qtbot, real)

    assert found[0].chosen == OWN_RUNTIME
    assert "OpenVINO, 32 bits, CPU" in shown(dialog)
    assert any("does not apply" in text for text in shown(dialog))
    assert "64 x 64 pixels" in " ".join(shown(dialog))
    dialog.close()


def test_after_a_broken_model_the_window_lives_on(qtbot: QtBot, real: Window) -> None:
    real.controllers.choosing.choose("user/broken")
    dialog = ask(qtbot, real)
    settle(qtbot, real)
    assert any("network.onnx cannot be used" in text for text in shown(dialog))
    dialog.close()
    open_study(qtbot, real, Path("/nowhere/anna"))
    real.controllers.choosing.choose("user/small")
    with qtbot.waitSignal(real.jobs.job_ended, timeout=60_000):
        real.actions["predict"].trigger()

    assert real.dialogs.error is None
    assert real.document.provenance.model == "small"
