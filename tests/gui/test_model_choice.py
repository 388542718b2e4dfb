"""Choosing a model in the window: the list, the cards, models that cannot be used."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QTextDocument, QTextTable
from PySide6.QtWidgets import QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from engine.learning.models import list_models
from heartseg_gui.app import Window
from heartseg_gui.controllers.prediction import predict_steps
from heartseg_gui.settings import Theme
from heartseg_gui.views.models.card_view import CardView
from heartseg_gui.views.models.model_dialog import ModelDialog
from heartseg_gui.views.models.model_panel import ModelBox
from tests.engine.test_models import put_model
from tests.gui.shell import make_settings, open_shell, open_study


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The reader's own models: two good ones and a broken one."""
    folder = tmp_path / "models"
    monkeypatch.setenv("HEARTSEG_MODELS", str(folder))
    put_model(folder / "good", title="Good net", licence="CC BY-NC 4.0")
    put_model(folder / "open", title="Open net", licence="CC0")
    (folder / "good" / "card.md").write_text("# Good net\n\nLearned from discs.\n")
    spoil(put_model(folder / "spoilt", title="Spoilt net"))
    return folder


def spoil(folder: Path) -> None:
    path = folder / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-4] + b"abcd")


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path, mine: Path) -> Iterator[Window]:
    for window in open_shell(qtbot, tmp_path, predict=predict_steps):
        open_study(qtbot, window, Path("/nowhere/anna"))
        look_up(qtbot, window)
        yield window


def look_up(qtbot: QtBot, window: Window) -> None:
    choosing = window.controllers.choosing
    choosing.look_up()
    qtbot.waitUntil(lambda: not choosing.busy, timeout=60_000)


def keys(window: Window) -> list[str]:
    return [model.key for model in window.choice.models]


def texts(widget: QWidget) -> str:
    return "\n".join(label.text() for label in widget.findChildren(QLabel) if label.isVisible())


def box(window: Window) -> ModelBox:
    return window.views.models.findChild(ModelBox)


def button(widget: QWidget, text: str) -> QPushButton:
    return next(b for b in widget.findChildren(QPushButton) if b.text() == text)


def open_dialog(qtbot: QtBot, window: Window) -> ModelDialog:
    window.actions["models"].trigger()
    dialog = window.main.findChild(ModelDialog)
    assert isinstance(dialog, ModelDialog)
    qtbot.waitUntil(lambda: dialog.isVisible() and not window.controllers.choosing.busy)
    return dialog


def test_licence_and_scores_stand_where_the_model_is_chosen(window: Window) -> None:
    """Of the default model at first; a licence that rules out commerce is marked."""
    default = list_models()[0]
    panel = window.views.models

    assert box(window).currentText() == default.title
    assert default.licence in texts(panel)
    assert default.headline in texts(panel)
    assert ("Not for commercial use" in texts(panel)) is default.noncommercial
    window.controllers.choosing.choose("user/good")
    assert "CC BY-NC 4.0" in texts(panel)
    assert "Not for commercial use" in texts(panel)
    window.controllers.choosing.choose("user/open")
    assert "CC0" in texts(panel)
    assert "Not for commercial use" not in texts(panel)


def test_the_list_says_the_terms_of_every_model(window: Window) -> None:
    rows = box(window).rows
    said = [
        rows.data(rows.index(n), Qt.ItemDataRole.AccessibleTextRole) for n in range(rows.rowCount())
    ]

    for line, model in zip(said, window.choice.models, strict=True):
        assert line.startswith(f"{model.title},")
        assert (model.licence in line) is model.usable
        assert ("Not for commercial use" in line) is (model.usable and model.noncommercial)
        assert ("Cannot be used" in line) is not model.usable


def test_a_choice_is_used_and_remembered(qtbot: QtBot, window: Window, tmp_path: Path) -> None:
    chosen = box(window)
    chosen.setCurrentIndex(keys(window).index("user/open"))
    chosen.activated.emit(chosen.currentIndex())
    assert make_settings(tmp_path).model == "user/open"
    with qtbot.waitSignal(window.jobs.job_ended, timeout=60_000):
        window.actions["predict"].trigger()

    assert window.dialogs.error is None
    assert window.document.provenance.model == "open"


def test_a_model_dropped_into_the_folder_appears_when_the_list_is_opened(
    qtbot: QtBot, window: Window, mine: Path
) -> None:
    put_model(mine / "fresh", title="Fresh net")
    assert "user/fresh" not in keys(window)
    box(window).showPopup()
    qtbot.waitUntil(lambda: "user/fresh" in keys(window), timeout=60_000)
    assert box(window).findText("Fresh net") == keys(window).index("user/fresh")
    assert box(window).view().isVisible()
    box(window).hidePopup()

    assert window.settings.model == ""


def test_look_again_finds_what_was_put_there_and_says_so(
    qtbot: QtBot, window: Window, mine: Path
) -> None:
    dialog = open_dialog(qtbot, window)
    dialog.show_model(keys(window).index("user/open"))
    put_model(mine / "another", title="Another net")
    with qtbot.waitSignal(window.controllers.choosing.told, timeout=60_000) as told:
        button(dialog, "Look again").click()

    assert told.args == [f"{len(list_models()) - 1} models can be used, 1 cannot."]
    assert "user/another" in keys(window)
    assert dialog.current is not None
    assert dialog.current.key == "user/open"  # what was looked at stays so
    dialog.close()


def test_the_dialog_shows_card_licence_and_place(qtbot: QtBot, window: Window, mine: Path) -> None:
    dialog = open_dialog(qtbot, window)
    dialog.show_model(keys(window).index("user/good"))
    shown = texts(dialog).replace("\u200b", "")

    assert "Learned from discs." in dialog.findChild(CardView).toPlainText()
    for said in ("Good net", "CC BY-NC 4.0", "Not for commercial use", str(mine / "good")):
        assert said in shown
    dialog.show_model(keys(window).index("user/open"))
    assert "without a card" in dialog.findChild(CardView).toPlainText()
    assert "Not for commercial use" not in texts(dialog)
    dialog.close()


def test_a_model_is_taken_from_the_dialog(qtbot: QtBot, window: Window) -> None:
    dialog = open_dialog(qtbot, window)
    assert not button(dialog, "In use").isEnabled()
    dialog.show_model(keys(window).index("user/open"))
    button(dialog, "Use this model").click()

    assert window.settings.model == "user/open"
    assert box(window).currentText() == "Open net"
    assert not button(dialog, "In use").isEnabled()
    dialog.close()


def test_a_broken_model_is_listed_with_the_reason_and_cannot_be_taken(
    qtbot: QtBot, window: Window
) -> None:
    row = keys(window).index("user/spoilt")
    assert not box(window).rows.flags(box(window).rows.index(row)) & Qt.ItemFlag.ItemIsEnabled
    dialog = open_dialog(qtbot, window)
    dialog.show_model(row)

    assert "SHA-256" in texts(dialog)
    assert not button(dialog, "Use this model").isEnabled()
    dialog._list.doubleClicked.emit(dialog._list.currentIndex())
    assert window.settings.model == ""
    dialog.close()


def test_the_window_lives_on_after_a_broken_model(qtbot: QtBot, window: Window, mine: Path) -> None:
    """A model that is spoilt after it was chosen: an error, the labels untouched, then another."""
    choosing = window.controllers.choosing
    choosing.choose("user/good")
    spoil(mine / "good")
    with qtbot.waitSignal(window.controllers.prediction.failed, timeout=60_000):
        window.actions["predict"].trigger()
    error = window.dialogs.error
    assert error is not None
    assert "SHA-256" in error.what
    assert window.document.undo_stack.count() == 0
    error.close()
    look_up(qtbot, window)
    assert "SHA-256" in texts(window.views.models)  # stays chosen, with the reason
    choosing.choose("user/open")
    with qtbot.waitSignal(window.jobs.job_ended, timeout=60_000):
        window.actions["predict"].trigger()

    assert window.dialogs.error is None
    assert window.document.undo_stack.count() == 1
    assert window.actions["predict"].isEnabled()


def test_weights_that_were_replaced_are_loaded_anew(
    qtbot: QtBot, window: Window, mine: Path
) -> None:
    window.controllers.choosing.choose("user/open")
    hashes = []
    for _ in range(2):
        with qtbot.waitSignal(window.jobs.job_ended, timeout=60_000):
            window.actions["predict"].trigger()
        hashes.append(window.document.provenance.model_hash)
        put_model(mine / "open", seed=2, title="Open net", licence="CC0")

    assert hashes[0] != hashes[1]


def test_a_chosen_model_that_is_gone_is_told_and_not_replaced(
    qtbot: QtBot, window: Window, mine: Path
) -> None:
    window.controllers.choosing.choose("user/good")
    (mine / "good").rename(mine / ".gone")
    look_up(qtbot, window)
    assert box(window).currentIndex() == -1
    assert "user/​good, is not there any more" in texts(window.views.models)
    with qtbot.waitSignal(window.controllers.prediction.failed, timeout=60_000):
        window.actions["predict"].trigger()

    assert window.dialogs.error is not None
    assert "user/good" in window.dialogs.error.what


def test_the_choice_of_the_last_time_stands(qtbot: QtBot, tmp_path: Path, mine: Path) -> None:
    make_settings(tmp_path).set_model("user/open")
    for window in open_shell(qtbot, tmp_path):
        look_up(qtbot, window)
        assert box(window).currentText() == "Open net"


def test_models_for_other_things_cannot_be_taken(qtbot: QtBot, window: Window, mine: Path) -> None:
    put_model(mine / "polyp", data__task="polyp", network__classes=2)
    look_up(qtbot, window)
    model = next(model for model in window.choice.models if model.key == "user/polyp")

    assert model.fault is not None
    assert "polyp" in model.fault.what


def test_the_folder_of_own_models_is_made_and_shown(
    qtbot: QtBot, window: Window, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", shown.append)
    monkeypatch.setenv("HEARTSEG_MODELS", str(tmp_path / "new" / "place"))
    dialog = open_dialog(qtbot, window)
    button(dialog, "Open my models").click()
    dialog.close()

    assert [url.toLocalFile() for url in shown] == [str(tmp_path / "new" / "place")]
    assert (tmp_path / "new" / "place").is_dir()


def test_a_folder_that_cannot_be_made_is_told(
    qtbot: QtBot, window: Window, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("HEARTSEG_MODELS", str(tmp_path / "file" / "models"))
    window.controllers.choosing.open_folder()

    assert window.dialogs.error is not None
    assert "could not be made" in window.dialogs.error.what


@pytest.fixture
def card(qtbot: QtBot) -> CardView:
    view = CardView()
    qtbot.addWidget(view)
    return view


STRANGE = """# Strange

![a](file:///etc/passwd) ![b](https://example.org/x.png) [link](https://example.org/)

<img src="https://example.org/y.png"><b>bold</b>

| a | b |
|---|--:|
| 1 | 2 |
"""


def test_a_card_of_a_stranger_loads_nothing(card: CardView) -> None:
    """Neither pictures nor files; HTML is text, and links are not followed."""
    card.show_card(STRANGE)
    image = QTextDocument.ResourceType.ImageResource

    assert not card.openLinks()
    assert not card.openExternalLinks()
    for address in ("file:///etc/passwd", "https://example.org/x.png"):
        assert not card.loadResource(image, QUrl(address))
        assert not card.document().resource(image, QUrl(address))
    assert "<b>" in card.toPlainText()


def test_tables_of_a_card_are_tables(card: CardView) -> None:
    card.show_card(STRANGE)
    (table,) = (f for f in card.document().rootFrame().childFrames() if isinstance(f, QTextTable))

    assert (table.rows(), table.columns()) == (2, 2)
    assert table.format().border() == 1


def test_a_card_is_drawn_in_the_colours_of_the_theme(qtbot: QtBot, window: Window) -> None:
    dialog = open_dialog(qtbot, window)
    dialog.show_model(0)
    view = dialog.findChild(CardView)
    lines = []
    for theme in (Theme.LIGHT, Theme.DARK):
        window.settings.set_theme(theme)
        tables = view.document().rootFrame().childFrames()
        lines.append(tables[0].frameFormat().borderBrush().color().name())
    dialog.close()

    assert len(set(lines)) == 2


def test_the_dialog_fits_a_small_screen(qtbot: QtBot, window: Window) -> None:
    """800 x 500 is a screen of 1600 x 1000 at 200 %."""
    dialog = open_dialog(qtbot, window)
    least = dialog.minimumSizeHint()
    dialog.close()

    assert least.width() <= 760
    assert least.height() <= 440
