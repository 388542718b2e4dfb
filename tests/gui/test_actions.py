"""The table of actions."""

from collections import Counter

import pytest
from PySide6.QtGui import QKeySequence, QUndoStack

from heartseg_gui.action_tables import ACTIONS, MENUS, TOOLBAR, ActionSpec
from heartseg_gui.actions import Actions, tip_with_keys
from resources import resource_path

_MADE_BY_THE_WINDOW = {"recent", "panels", "|"}


def test_no_two_actions_share_a_key() -> None:
    keys = [QKeySequence(key).toString() for spec in ACTIONS for key in spec.keys]
    twice = [key for key, number in Counter(keys).items() if number > 1]

    assert twice == []
    assert all(keys), "a key that Qt does not know"


def test_every_action_is_in_one_menu() -> None:
    in_menus = [name for _, names in MENUS for name in names.split()]
    named = [name for name in in_menus if name not in _MADE_BY_THE_WINDOW]

    assert sorted(named) == sorted(spec.name for spec in ACTIONS)


def test_the_tool_bar_names_actions() -> None:
    names = {spec.name for spec in ACTIONS}

    assert set(TOOLBAR.split()) - {"|"} <= names


@pytest.mark.parametrize(("title", "names"), MENUS, ids=[title for title, _ in MENUS])
def test_no_two_lines_of_a_menu_share_a_mnemonic(title: str, names: str) -> None:
    texts = {spec.name: spec.text for spec in ACTIONS}
    letters = [
        texts[name][texts[name].index("&") + 1].lower()
        for name in names.split()
        if name in texts and "&" in texts[name]
    ]

    assert len(letters) == len(set(letters)), sorted(letters)


@pytest.mark.parametrize("spec", ACTIONS, ids=lambda spec: spec.name)
def test_tooltips_say_the_key(spec: ActionSpec) -> None:
    assert spec.tip
    assert not spec.keys or tip_with_keys(spec).endswith(")")


@pytest.mark.parametrize("spec", [s for s in ACTIONS if s.icon], ids=lambda spec: spec.name)
def test_icons_are_there(spec: ActionSpec) -> None:
    assert resource_path("icons", f"{spec.icon}.svg").is_file()


def test_undo_and_redo_say_what_they_would_do(qapp: object) -> None:
    stack = QUndoStack()
    actions = Actions(stack)
    stack.beginMacro("Paint")
    stack.endMacro()

    assert "Paint" in actions["undo"].text()
    assert actions["undo"].isEnabled()
