"""Keymaps: complete and free of conflicts, in force at once, changed by the reader."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QUndoStack
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from heartseg_gui.action_tables import ACTIONS
from heartseg_gui.actions import Actions
from heartseg_gui.app import Window
from heartseg_gui.documents.tool_state import Press, Tool
from heartseg_gui.keymaps import (
    DEFAULT,
    HANDLED_BY_THE_PICTURE,
    clash,
    combinations,
    holder_of,
    keymap_names,
    keymap_of,
    load_keymap,
    merge,
    put_in_force,
    read_keymap_file,
    rebound,
    reserved,
    spelled,
)
from heartseg_gui.mouse_moves import DRAGS, PAINTING_DRAGS, WHEELS, Deed, MouseMap, allowed_deeds
from heartseg_gui.settings import Settings
from heartseg_gui.views.settings_dialog import SettingsDialog
from heartseg_gui.views.shortcuts_dialog import ShortcutsDialog
from heartseg_gui.views.slices.slice_view import SliceView
from tests.gui.conftest import Desk, drag_to, turn_wheel
from tests.gui.shell import make_settings, open_shell

_NAMES = [spec.name for spec in ACTIONS]
_NO, _CTRL = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier
_SHIFT, _ALT = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.AltModifier
_LEFT, _RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
every_keymap = pytest.mark.parametrize("name", keymap_names())


def conflicts(keys: Mapping[str, Sequence[str]]) -> list[str]:
    """Everything that is wrong with the keys of actions, a sentence each."""
    found = [
        f"{action}: Qt does not know the key {key!r}"
        for action, some in keys.items()
        for key in some
        if not combinations(key)
    ]
    held = [(action, key) for action, some in keys.items() for key in some]
    for number, (action, key) in enumerate(held):
        kept = reserved(key)
        if kept is not None:
            found.append(f"{action}: {key} {kept.reason}")
        for other, second in held[number + 1 :]:
            if clash(key, second):
                found.append(f"{action} and {other} share {key} and {second}")
    return found


def test_the_programs_that_readers_come_from_are_there() -> None:
    assert keymap_names()[0] == DEFAULT
    assert set(keymap_names()) == {"cardiac", "itk-snap", "slicer", "napari"}


def test_the_default_keymap_lists_every_action_with_the_keys_of_its_table() -> None:
    written = read_keymap_file(DEFAULT).keys
    wanted = {spec.name: spec.keys for spec in ACTIONS}
    lines = [
        f"{name} = {list(keys)}".replace("'", '"')
        for name, keys in wanted.items()
        if written.get(name) != keys
    ]
    gone = sorted(set(written) - set(wanted))

    assert lines == [], "write into resources/keymaps/cardiac.toml:\n" + "\n".join(lines)
    assert gone == [], "take out of resources/keymaps/cardiac.toml"


@every_keymap
def test_a_keymap_is_complete(name: str) -> None:
    """Whatever has keys to begin with has some in every keymap; else its file must give others."""
    keymap, default = load_keymap(name), load_keymap(DEFAULT)
    lost = {
        action: keys for action, keys in default.keys.items() if keys and not keymap.keys[action]
    }

    assert list(keymap.keys) == _NAMES
    assert lost == {}, f"give these other keys in resources/keymaps/{name}.toml"
    assert keymap.title
    assert keymap.about.endswith(".")


@every_keymap
def test_a_keymap_names_only_actions_and_moves_that_exist(name: str) -> None:
    file = read_keymap_file(name)

    assert set(file.keys) <= set(_NAMES)
    assert set(file.deeds) <= {*WHEELS, *DRAGS, *PAINTING_DRAGS}
    assert all(deed in allowed_deeds(move) for move, deed in file.deeds.items())


@every_keymap
def test_a_keymap_has_no_conflicts(name: str) -> None:
    """Neither between actions, in the picture or not, nor with what views and menus handle."""
    keymap = load_keymap(name)

    assert conflicts(keymap.keys) == []
    for action, keys in read_keymap_file(name).keys.items():
        assert keymap.keys[action] == keys, "the file gives one key to two actions"


@every_keymap
def test_slices_phases_and_size_are_reached_by_mouse_alone(name: str) -> None:
    mouse = load_keymap(name).mouse
    by_wheel = {mouse.wheel(held) for held in WHEELS.values()}

    assert {Deed.SLICE, Deed.PHASE, Deed.ZOOM} <= by_wheel
    for painting in (False, True):
        drags = {mouse.drag(button, held, painting=painting) for button, held in DRAGS.values()}
        assert Deed.PAN in drags


@pytest.mark.parametrize("key", [*HANDLED_BY_THE_PICTURE, "Alt+F", "Alt+H"])
def test_keys_of_the_picture_and_the_menus_are_conflicts(key: str) -> None:
    assert conflicts({"brush": (key,)})
    taken = holder_of(key, load_keymap(DEFAULT))
    assert taken is not None
    assert taken.action == ""
    assert load_keymap(DEFAULT, {"brush": (key,)}).keys["brush"] == ()


@pytest.mark.parametrize(
    ("one", "other", "clashes"),
    [
        ("?", "Shift+/", True),
        ("Ctrl++", "Ctrl+Shift+=", True),
        ("ctrl+r", "Ctrl+R", True),
        ("Ctrl+K", "Ctrl+K, U", True),
        ("Ctrl+K, C", "Ctrl+K, U", False),
        ("S", "Shift+S", False),
        ("nonsense", "nonsense", False),
    ],
)
def test_presses_that_qt_cannot_tell_apart_clash(one: str, other: str, clashes: bool) -> None:
    assert clash(one, other) is clashes
    assert clash(other, one) is clashes
    assert bool(conflicts({"brush": (one,), "eraser": (other,)})) is (clashes or one == "nonsense")


def test_a_stronger_layer_takes_keys_from_weaker_ones() -> None:
    """Also from an action that only its table knows, as new ones do until they are listed."""
    merged = merge(
        (
            {"brush": ("B",)},
            {"brush": ("5",), "fill": ("4", "B")},
            {"new": ("N", "4"), "eraser": ("5",)},
        )
    )

    assert merged == {"brush": ("B",), "fill": ("4",), "new": ("N",), "eraser": ("5",)}


_KEYS = st.sampled_from(["5", "6", "R", "Ctrl+R", "?", "Shift+/", "Space", "Alt+F", "x y z", "F9"])


@settings(deadline=None, max_examples=30)
@given(
    name=st.sampled_from(keymap_names()),
    own=st.dictionaries(
        st.sampled_from([*_NAMES, "no_action"]), st.lists(_KEYS, max_size=3), max_size=6
    ),
)
def test_whatever_the_reader_chose_there_is_no_conflict(
    name: str, own: dict[str, list[str]]
) -> None:
    keymap = load_keymap(name, own)

    assert list(keymap.keys) == _NAMES
    assert conflicts(keymap.keys) == []


def test_a_key_that_the_reader_gave_twice_belongs_to_the_last() -> None:
    own = rebound(DEFAULT, {}, "brush", ["b"])
    own = rebound(DEFAULT, own, "eraser", ["B", "E"])

    assert own == {"brush": (), "eraser": ("B", "E")}
    assert load_keymap(DEFAULT, own).changed == {"brush", "eraser"}
    assert rebound(DEFAULT, own, "eraser", ["6"]) == {"brush": ()}


def test_an_unknown_keymap_is_the_default_one() -> None:
    assert load_keymap("photoshop") == load_keymap(DEFAULT)


def test_keys_change_at_once(qtbot: QtBot, window: Window) -> None:
    """ITK-SNAP's S hides the labels, which H does at first; ED and ES move."""
    picture, display = window.views.picture, window.display
    window.settings.set_keymap("itk-snap")
    opacity = display.opacity
    qtbot.keyClick(picture, Qt.Key.Key_S)
    assert not display.overlay_shown
    assert window.view.phase == 0
    qtbot.keyClick(picture, Qt.Key.Key_H)
    assert not display.overlay_shown
    qtbot.keyClick(picture, Qt.Key.Key_A)
    assert display.opacity < opacity
    qtbot.keyClick(picture, Qt.Key.Key_S, _SHIFT)
    assert window.view.phase == 2
    window.settings.set_keymap("slicer")  # arrows belong to the picture alone
    before = window.view.slice_index
    qtbot.keyClick(picture, Qt.Key.Key_Right)
    assert (window.view.slice_index, window.view.phase) == (before + 1, 2)
    qtbot.keyClick(picture, Qt.Key.Key_B)
    assert window.view.slice_index == before
    window.settings.set_keymap("cardiac")
    qtbot.keyClick(picture, Qt.Key.Key_H)
    assert display.overlay_shown


def test_every_key_is_a_shortcut_of_its_action(qapp: object) -> None:
    stack = QUndoStack()
    actions = Actions(stack)
    for name in reversed(keymap_names()):
        keymap = load_keymap(name)
        put_in_force(keymap)
        actions.show_keys()
        held = {a.objectName(): [s.toString() for s in a.shortcuts()] for a in actions}
        assert held == {action: list(keys) for action, keys in keymap.keys.items()}


def test_switching_shows_what_a_new_window_would(qtbot: QtBot, tmp_path: Path) -> None:
    """Tooltips and hints follow; one made without `show_tip` or `show_keys` stays behind."""
    shown = []
    for folder, before, after in (("one", DEFAULT, "slicer"), ("other", "slicer", "slicer")):
        (tmp_path / folder).mkdir()
        make_settings(tmp_path / folder).set_keymap(before)
        for window in open_shell(qtbot, tmp_path / folder):
            window.settings.set_keymap(after)
            shown.append(_texts(window))
    switched, new = shown

    assert [line for line in switched if line not in new] == []
    assert [line for line in new if line not in switched] == []


def _texts(window: Window) -> list[tuple[str, str, str]]:
    tools = window.tools
    for tool in (Tool.BRUSH, Tool.PAN):  # hints are written anew
        tools.set_tool(tool)
    return [
        (type(w).__name__, w.toolTip(), w.text() if isinstance(w, QLabel) else "")
        for w in window.main.findChildren(QWidget)
        if w.toolTip() or isinstance(w, QLabel)
    ]


@pytest.fixture
def picture(desk: Desk, qtbot: QtBot) -> SliceView:
    """The slice view alone, 600 x 480."""
    view = SliceView(desk.document, desk.view, desk.display, desk.tools)
    qtbot.addWidget(view)
    view.resize(600, 480)
    with qtbot.waitExposed(view):
        view.show()
    return view


def test_napari_zooms_with_the_wheel(desk: Desk, picture: SliceView) -> None:
    put_in_force(load_keymap("napari"))
    scale, place = picture.pixels_per_mm, desk.view.slice_index
    turn_wheel(picture.viewport(), 120)
    assert picture.pixels_per_mm == pytest.approx(1.2 * scale)
    assert desk.view.slice_index == place
    turn_wheel(picture.viewport(), -120, _CTRL)
    assert desk.view.slice_index == place + 1


def test_slicer_sizes_the_brush_with_shift_and_wheel(desk: Desk, picture: SliceView) -> None:
    put_in_force(load_keymap("slicer"))
    viewport, radius_mm = picture.viewport(), desk.tools.radius_mm
    turn_wheel(viewport, 120, _SHIFT)
    assert desk.tools.radius_mm > radius_mm
    turn_wheel(viewport, -240, _SHIFT)
    assert desk.tools.radius_mm < radius_mm
    assert desk.view.phase == 0
    turn_wheel(viewport, -120, _ALT)
    assert desk.view.phase == 1


def test_slicer_zooms_and_pans_while_painting(qtbot: QtBot, desk: Desk, picture: SliceView) -> None:
    """With the right button, and with Shift and the left one; the brush hears of neither."""
    put_in_force(load_keymap("slicer"))
    desk.tools.set_tool(Tool.BRUSH)
    viewport, scale = picture.viewport(), picture.pixels_per_mm
    with qtbot.assertNotEmitted(picture.pressed):
        qtbot.mousePress(viewport, _RIGHT, pos=QPoint(300, 240))
        drag_to(viewport, QPoint(300, 180), _RIGHT)
        qtbot.mouseRelease(viewport, _RIGHT, pos=QPoint(300, 180))
        assert picture.pixels_per_mm > 1.3 * scale
        before = picture.mapToScene(QPoint(0, 0))
        qtbot.mousePress(viewport, _LEFT, _SHIFT, QPoint(300, 240))
        drag_to(viewport, QPoint(340, 240), modifiers=_SHIFT)
        qtbot.mouseRelease(viewport, _LEFT, _SHIFT, QPoint(340, 240))
        assert picture.mapToScene(QPoint(0, 0)).x() < before.x()


@every_keymap
@pytest.mark.parametrize("tool", [Tool.BRUSH, Tool.WINDOW, Tool.PAN])
@pytest.mark.parametrize("button", [_LEFT, _RIGHT])
def test_shift_and_a_click_mark_in_every_keymap(
    qtbot: QtBot, desk: Desk, picture: SliceView, name: str, tool: Tool, button: Qt.MouseButton
) -> None:
    """Also where Shift and a drag pan the picture."""
    put_in_force(load_keymap(name))
    desk.tools.set_tool(tool)
    viewport, at = picture.viewport(), picture.viewport().rect().center()
    told: list[Press] = []
    picture.pressed.connect(lambda _place, press: told.append(press))
    qtbot.mousePress(viewport, button, _SHIFT, at)
    with qtbot.waitSignal(picture.released):
        qtbot.mouseRelease(viewport, button, _SHIFT, at)

    assert told == [Press(other=button == _RIGHT, shift=True)]


def test_a_move_without_a_deed_does_nothing(qtbot: QtBot, desk: Desk, picture: SliceView) -> None:
    nothing = MouseMap({"wheel": Deed.NOTHING, "right drag": Deed.NOTHING})
    put_in_force(replace(load_keymap(DEFAULT), mouse=nothing))
    place, scale = desk.view.slice_index, picture.pixels_per_mm
    turn_wheel(picture.viewport(), -120)
    qtbot.mousePress(picture.viewport(), _RIGHT, pos=QPoint(300, 240))
    drag_to(picture.viewport(), QPoint(300, 180), _RIGHT)
    qtbot.mouseRelease(picture.viewport(), _RIGHT, pos=QPoint(300, 180))

    assert (desk.view.slice_index, picture.pixels_per_mm) == (place, scale)


def _keys_dialog(qtbot: QtBot, window: Window) -> ShortcutsDialog:
    """Press F1 in the picture."""
    qtbot.keyClick(window.views.picture, Qt.Key.Key_F1)
    dialog = window.main.findChild(ShortcutsDialog)
    assert dialog is not None
    qtbot.waitUntil(dialog.isActiveWindow)
    return dialog


def _record(
    dialog: ShortcutsDialog, action: str, key: Qt.Key, held: Qt.KeyboardModifier = _NO
) -> None:
    """Choose a line and press keys in the field, as the reader does."""
    dialog.choose(action)
    dialog.changer.recorder.setFocus()
    QTest.keyClick(dialog.changer.recorder, key, held)


def test_the_reader_gives_an_action_other_keys(
    qtbot: QtBot, window: Window, tmp_path: Path
) -> None:
    dialog = _keys_dialog(qtbot, window)
    _record(dialog, "brush", Qt.Key.Key_N)
    assert dialog.changer.message.text() == "N is free."
    qtbot.mouseClick(dialog.changer.set_button, _LEFT)
    _record(dialog, "eraser", Qt.Key.Key_N, _SHIFT)
    qtbot.mouseClick(dialog.changer.add_button, _LEFT)
    dialog.close()
    window.main.activateWindow()
    qtbot.waitUntil(window.main.isActiveWindow)
    for key, held, tool in (
        (Qt.Key.Key_N, _NO, Tool.BRUSH),
        (Qt.Key.Key_N, _SHIFT, Tool.ERASER),
        (Qt.Key.Key_5, _NO, Tool.ERASER),  # the brush has lost it
        (Qt.Key.Key_1, _NO, Tool.WINDOW),
        (Qt.Key.Key_6, _NO, Tool.ERASER),
    ):
        qtbot.keyClick(window.views.picture, key, held)
        assert window.tools.tool is tool
    assert window.actions["brush"].toolTip().endswith("(N)")
    window.main.close()

    for again in open_shell(qtbot, tmp_path):
        qtbot.keyClick(again.views.picture, Qt.Key.Key_N)
        assert again.tools.tool is Tool.BRUSH


@pytest.fixture
def stored(tmp_path: Path) -> Settings:
    return make_settings(tmp_path)


@pytest.fixture
def dialog(qtbot: QtBot, stored: Settings) -> ShortcutsDialog:
    """The dialog alone."""
    dialog = ShortcutsDialog(stored)
    qtbot.addWidget(dialog)
    with qtbot.waitActive(dialog):
        dialog.show()
        dialog.activateWindow()
    return dialog


def test_who_has_a_key_is_told_and_it_is_taken_or_left(
    qtbot: QtBot, dialog: ShortcutsDialog, stored: Settings
) -> None:
    _record(dialog, "brush", Qt.Key.Key_R)
    assert dialog.changer.message.text().startswith("R is “Reference contours”")
    qtbot.mouseClick(dialog.changer.add_button, _LEFT)  # leave it
    assert stored.own_keys(DEFAULT) == {}
    assert dialog.changer.recorder.keySequence().isEmpty()

    _record(dialog, "brush", Qt.Key.Key_R)
    qtbot.mouseClick(dialog.changer.set_button, _LEFT)  # take it
    assert keymap_of(stored).keys["reference"] == ()
    assert keymap_of(stored).keys["brush"] == ("R",)
    qtbot.mouseClick(dialog.changer.default_button, _LEFT)
    assert keymap_of(stored) == load_keymap(DEFAULT)


@pytest.mark.parametrize(
    ("key", "held"),
    [
        (Qt.Key.Key_Space, _NO),
        (Qt.Key.Key_Escape, _NO),
        (Qt.Key.Key_Up, _SHIFT),
        (Qt.Key.Key_F, _ALT),
    ],
)
def test_keys_of_the_picture_and_the_menus_cannot_be_taken(
    dialog: ShortcutsDialog, key: Qt.Key, held: Qt.KeyboardModifier
) -> None:
    _record(dialog, "brush", key, held)

    assert dialog.isVisible()
    assert dialog.changer.message.text().endswith("and cannot be changed.")
    assert not dialog.changer.set_button.isEnabled()


def test_all_changes_are_forgotten_at_once(
    qtbot: QtBot, dialog: ShortcutsDialog, stored: Settings
) -> None:
    stored.set_own_keys(DEFAULT, {"brush": ("N",), "models": ("F9",), "eraser": ()})
    qtbot.mouseClick(dialog.all_default, _LEFT)

    assert not dialog.all_default.isEnabled()
    assert keymap_of(stored) == load_keymap(DEFAULT)


def test_an_action_can_be_without_keys(
    qtbot: QtBot, dialog: ShortcutsDialog, stored: Settings
) -> None:
    dialog.choose("brush")
    qtbot.mouseClick(dialog.changer.none_button, _LEFT)

    assert stored.own_keys(DEFAULT) == {"brush": ()}
    assert dialog.changer.message.text() == "It has no keys now."


def test_a_line_that_the_filter_hides_is_not_changed(dialog: ShortcutsDialog) -> None:
    dialog.choose("brush")
    dialog.filter_field.setText("undo")

    assert not dialog.changer.recorder.isEnabled()
    assert not dialog.changer.none_button.isEnabled()


def test_changes_stay_with_their_keymap(stored: Settings) -> None:
    stored.set_own_keys(DEFAULT, {"brush": ("N",)})
    stored.set_keymap("napari")
    assert keymap_of(stored).keys["brush"] == load_keymap("napari").keys["brush"]
    stored.set_keymap(DEFAULT)
    assert keymap_of(stored).keys["brush"] == ("N",)


def test_the_list_follows_the_keymap_and_the_filter(
    qtbot: QtBot, dialog: ShortcutsDialog, stored: Settings
) -> None:
    qtbot.keyClicks(dialog.filter_field, "Ctrl + wheel")
    assert dialog.shown_rows() == ["Zoom"]
    dialog.keymaps.setFocus()
    qtbot.keyClicks(dialog.keymaps, "napari")
    assert stored.keymap == "napari"
    assert dialog.shown_rows() == ["Slice"]
    dialog.filter_field.setText("ctrl+z")
    assert dialog.shown_rows() == ["Take the last step back"]
    dialog.filter_field.setText("paint re")  # as the menu says it
    assert dialog.shown_rows() == []
    dialog.filter_field.setText("paint right")
    assert dialog.shown_rows() == ["Make the RV active"]


@every_keymap
def test_the_list_shows_every_action_and_every_move(
    qtbot: QtBot, tmp_path: Path, name: str
) -> None:
    settings = make_settings(tmp_path)
    settings.set_keymap(name)
    dialog = ShortcutsDialog(settings)
    qtbot.addWidget(dialog)
    moves = [d for d in load_keymap(name).mouse.deeds.values() if d is not Deed.NOTHING]

    assert len(dialog.shown_rows()) >= len(ACTIONS) + len(moves)


def test_the_settings_dialog_switches_too(qtbot: QtBot, window: Window) -> None:
    window.actions["settings"].trigger()
    dialog = window.main.findChild(SettingsDialog)
    assert dialog is not None
    dialog.keymap.setCurrentText("ITK-SNAP")
    dialog.accept()
    qtbot.keyClick(window.views.picture, Qt.Key.Key_S)

    assert not window.display.overlay_shown


def test_own_keys_that_nobody_understands_do_no_harm(tmp_path: Path) -> None:
    stored = make_settings(tmp_path)
    stored.set_own_keys(DEFAULT, {"no_action": ("N",), "brush": ("nonsense", "N")})
    keymap = load_keymap(DEFAULT, Settings(stored._store).own_keys(DEFAULT))

    assert spelled("nonsense") == ""
    assert keymap.keys["brush"] == ("N",)
    assert "no_action" not in keymap.keys
