"""Settings and their dialog."""

from pathlib import Path

import pytest
from PySide6.QtCore import QByteArray, QSettings
from pytestqt.qtbot import QtBot

from heartseg_gui.keymaps import keymap_of, load_keymap
from heartseg_gui.settings import Settings, Theme
from heartseg_gui.views.settings_dialog import SettingsDialog
from heartseg_gui.views.shortcuts_dialog import ShortcutsDialog
from tests.gui.shell import make_settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return make_settings(tmp_path)


def test_settings_survive_the_program(settings: Settings, tmp_path: Path) -> None:
    settings.set_theme(Theme.DARK)
    settings.set_colour_blind_safe(True)
    settings.set_device("cpu")
    settings.set_reader("  Dr. Å, senior; 2nd reader ")
    settings.set_model("acdc-unet")
    settings.set_frame_rate(12.5)
    settings.set_brush_radius(3.2)
    settings.set_keymap("slicer")
    settings.set_own_keys("slicer", {"brush": ("B", "Ctrl+,"), "models": ()})
    settings.add_recent(Path("/data/a, b"))
    settings.keep_window_layout(QByteArray(b"one"), QByteArray(b"two"))
    again = make_settings(tmp_path)

    assert again.theme is Theme.DARK
    assert again.colour_blind_safe
    assert again.device == "cpu"
    assert again.reader == "Dr. Å, senior; 2nd reader"
    assert again.model == "acdc-unet"
    assert again.frame_rate_hz == 12.5
    assert again.brush_radius_mm == 3.2
    assert again.keymap == "slicer"
    assert again.own_keys("slicer") == {"brush": ("B", "Ctrl+,"), "models": ()}
    assert again.own_keys("cardiac") == {}
    assert again.recent == (Path("/data/a, b"),)
    assert again.last_folder == Path("/data")
    assert again.window_layout() == (QByteArray(b"one"), QByteArray(b"two"))


@pytest.mark.parametrize("value", ["", "nonsense", 7, ["a", "list"]])
def test_damaged_settings_fall_back_to_defaults(tmp_path: Path, value: object) -> None:
    store = QSettings(str(tmp_path / "damaged.ini"), QSettings.Format.IniFormat)
    names = ("theme", "device", "frame_rate_hz", "brush_radius_mm", "window/geometry", "keymap")
    for key in (*names, "own_keys/cardiac"):
        store.setValue(key, value)
    settings = Settings(store)

    assert settings.theme is Theme.SYSTEM
    assert settings.device == "auto"
    assert settings.window_layout()[0] == QByteArray()
    assert settings.own_keys("cardiac") == {}
    assert keymap_of(settings) == load_keymap("cardiac")


def test_the_list_of_recent_studies_is_short(settings: Settings) -> None:
    for number in range(20):
        settings.add_recent(Path(f"/data/{number}"))

    assert len(settings.recent) == 8
    assert settings.recent[0] == Path("/data/19")


def test_ok_writes_what_was_chosen(qtbot: QtBot, settings: Settings) -> None:
    dialog = SettingsDialog(settings)
    qtbot.addWidget(dialog)
    dialog.theme.setCurrentIndex(2)
    dialog.palette_choice.setCurrentIndex(1)
    dialog.radius.setValue(9.0)
    dialog.keymap.setCurrentText("3D Slicer")
    told = [settings.appearance_changed, settings.reading_changed, settings.keys_changed]
    with qtbot.waitSignals(told):
        dialog.accept()

    assert settings.theme is Theme.DARK
    assert settings.colour_blind_safe
    assert settings.brush_radius_mm == 9.0
    assert settings.keymap == "slicer"


def test_cancel_writes_nothing(qtbot: QtBot, settings: Settings) -> None:
    dialog = SettingsDialog(settings)
    qtbot.addWidget(dialog)
    dialog.theme.setCurrentIndex(1)
    dialog.reject()

    assert settings.theme is Theme.SYSTEM


def test_the_list_of_keys_can_be_searched(qtbot: QtBot, settings: Settings) -> None:
    dialog = ShortcutsDialog(settings)
    qtbot.addWidget(dialog)
    everything = dialog.shown_rows()
    qtbot.keyClicks(dialog.filter_field, "end-d")

    assert len(everything) > 30
    assert dialog.shown_rows() == [
        "Show end-diastole",
        "Segment end-diastole and end-systole",
        "ED is this phase",  # the menu says end-diastole
    ]
