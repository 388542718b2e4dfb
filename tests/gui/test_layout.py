"""What fits where: the status bar, the report, the texts on the picture in small windows."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect, QRectF
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from engine.geometry import Geometry
from engine.labelmap import LabelMap
from engine.study import Study
from heartseg_gui.app import Window
from heartseg_gui.views.cine_bar import PhaseSlider, _apart
from heartseg_gui.views.report_view import FoldingRow, PageView
from heartseg_gui.views.slices.slice_view import SliceView
from tests.gui.conftest import Desk, small_study
from tests.gui.shell import open_shell, open_study

SMALLEST, SMALL, LARGE = (800, 500), (900, 600), (1500, 900)  # 1600 x 1000 at 200 % is the first


@pytest.fixture
def empty(qtbot: QtBot, tmp_path: Path) -> Iterator[Window]:
    yield from open_shell(qtbot, tmp_path)


@pytest.fixture
def window(qtbot: QtBot, empty: Window) -> Window:
    open_study(qtbot, empty, Path("/nowhere/anna"))
    return empty


def resize(window: Window, size: tuple[int, int]) -> None:
    window.main.resize(*size)
    for _ in range(5):
        QApplication.processEvents()
    assert (window.main.width(), window.main.height()) == size


def place_in(widget: QWidget, outer: QWidget) -> QRect:
    return QRect(widget.mapTo(outer, QPoint(0, 0)), widget.size())


def test_messages_leave_the_place_readable(qtbot: QtBot, window: Window) -> None:
    viewport = window.views.picture.viewport()
    qtbot.mouseMove(viewport, viewport.rect().center() + QPoint(-60, 0))
    window.main.show_message("Wrote report.json, report.csv, report.pdf to " + 40 * "/folder")
    QApplication.processEvents()
    place, message = window.views.place, window.views.message

    assert place.isVisible()
    assert message.isVisible()
    assert place.width() >= place.fontMetrics().horizontalAdvance(place.text())
    assert message.geometry().left() >= place.geometry().right()
    assert "…" in message.text()
    assert message.text().endswith("/folder")
    assert message.toolTip() == message.message


def test_a_message_goes_and_the_place_stays(qtbot: QtBot, window: Window) -> None:
    window.main.show_message("Saved.")
    assert window.views.message.text() == "Saved."
    window.views.message.forget()

    assert not window.views.message.isVisible()
    assert window.views.place.isVisible()


def test_the_picture_and_the_status_bar_agree_on_the_place(window: Window) -> None:
    texts = window.views.picture._annotations._upper_left(window.document.cine)
    assert texts.endswith("Slice 4/6   27.0 mm")
    assert "Slice 4 of 6, 27.0 mm" in window.views.place.text()


def measure(qtbot: QtBot, window: Window) -> None:
    with qtbot.waitSignal(window.controllers.reporting.report_ready, timeout=60_000):
        window.actions["report"].trigger()


@pytest.mark.parametrize(("size", "folded"), [(SMALLEST, True), (SMALL, True), (LARGE, False)])
def test_the_report_fits_the_window(
    qtbot: QtBot, window: Window, size: tuple[int, int], folded: bool
) -> None:
    """In a small window the cards stand below each other; nothing is cut or broken up."""
    measure(qtbot, window)
    resize(window, size)
    report = window.views.report
    page = report.widget()

    assert [row.folded for row in report.findChildren(FoldingRow)] == [folded, folded]
    assert report.horizontalScrollBar().maximum() == 0
    for part in (*report.findChildren(QPushButton), *report.findChildren(PageView)):
        assert page.rect().contains(place_in(part, page)), part
    for label in report.findChildren(QLabel):
        if "/m²" in label.text():
            assert label.height() < 2 * label.fontMetrics().height()
            assert label.width() >= label.fontMetrics().horizontalAdvance(label.text())


def test_no_gaps_in_a_small_report(qtbot: QtBot, window: Window) -> None:
    """The page of the PDF is as high as its width asks for, so that nothing is stretched."""
    measure(qtbot, window)
    resize(window, SMALL)
    report = window.views.report
    page = report.widget()

    assert page.height() == max(report.viewport().height(), page.heightForWidth(page.width()))
    pages = report.findChildren(PageView)
    assert pages
    for pdf in pages:
        assert pdf.height() == pdf.heightForWidth(pdf.width())


def test_sliders_have_room_in_a_small_window(window: Window) -> None:
    resize(window, SMALL)

    assert window.main.findChild(PhaseSlider).width() >= 100


def test_marks_of_neighbouring_phases_do_not_cover_each_other() -> None:
    for centres in ([8.0, 8.0], [200.0, 195.0], [100.0, 104.0], [30.0, 90.0]):
        first, last = _apart(centres, 200)
        assert abs(first - last) >= 18
        assert min(first, last) >= 9
        assert max(first, last) <= 191
        assert (first <= last) == (centres[0] <= centres[1])


def placed_study() -> Study:
    """The small study at a place in the patient, so that its directions are known."""
    study = small_study()
    affine = study.stacks[0].cine.geometry.affine.copy()
    affine[:3, 3] = (40.0, 60.0, -20.0)
    geometry = Geometry.from_affine(affine, study.stacks[0].cine.geometry.shape)
    cine = replace(study.stacks[0].cine, geometry=geometry)
    labels = [replace(each, labels=LabelMap(each.labels.voxels, geometry)) for each in study.labels]
    return replace(study, stacks=(replace(study.stacks[0], cine=cine),), labels=tuple(labels))


def texts_on(qtbot: QtBot, desk: Desk, width: int) -> list[QRectF]:
    """Where texts stand on a picture so wide."""
    view = SliceView(desk.document, desk.view, desk.display, desk.tools)
    qtbot.addWidget(view)
    view.resize(width, 400)
    with qtbot.waitExposed(view):
        view.show()
    view.viewport().grab()
    return [mark.area for mark in view._annotations._marks if mark.pixmap.width() > 10]


def test_a_nominal_position_has_no_letters(desk: Desk, qtbot: QtBot) -> None:
    """Four letters less than where the file says how the patient lay."""
    nominal = len(texts_on(qtbot, desk, 600))
    desk.document.set_study(placed_study())

    assert len(texts_on(qtbot, desk, 600)) == nominal + 4


@pytest.mark.parametrize("width", [170, 200, 240, 280, 330, 400, 600])
def test_no_text_on_the_picture_covers_another(desk: Desk, qtbot: QtBot, width: int) -> None:
    desk.document.set_study(placed_study())
    areas = texts_on(qtbot, desk, width)

    assert len(areas) == 10
    for one, other in combinations(areas, 2):
        assert not one.intersects(other)


def test_the_button_of_an_empty_browser_is_at_the_top(empty: Window) -> None:
    browser = empty.views.browser
    button = next(b for b in browser.findChildren(QPushButton) if b.isVisible())

    assert place_in(button, browser).top() < 20


@pytest.mark.parametrize(("size", "across"), [(SMALLEST, False), (SMALL, False), (LARGE, True)])
def test_the_3d_view_takes_its_place_without_making_the_window_larger(
    qtbot: QtBot, window: Window, size: tuple[int, int], across: bool
) -> None:
    """Below the slices where both side by side would be too narrow."""
    resize(window, size)
    window.actions["show_3d"].trigger()
    resize(window, size)
    volume = window.main._volume
    assert volume is not None
    qtbot.waitUntil(lambda: volume.ready, timeout=60_000)
    slices, space = (place_in(w, window.main) for w in (window.views.picture, volume))

    assert (space.left() >= slices.right()) is across
    assert (space.top() >= slices.bottom()) is not across
    assert slices.height() >= 140
