"""The window shows what a study has: ventricles, a left atrium, or both."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtWidgets import QComboBox, QLabel
from pytestqt.qtbot import QtBot

from engine.cine import Cine
from engine.clinical.report import make_report
from engine.progress import Progress, Steps
from engine.structures import ALL_STRUCTURES, HEART_STRUCTURES, Structure
from engine.study import Provenance, Study
from heartseg_gui.app import Window
from heartseg_gui.controllers.prediction import Wish
from heartseg_gui.documents.tool_state import DrawOver, Tool
from heartseg_gui.slice_rendering import overlay_table
from heartseg_gui.views.structure_panel import StructureRow
from tests.atria import EllipsoidAtrium
from tests.gui import hands
from tests.gui.shell import FakePrediction, open_shell, open_study, read_cylinders

ATRIUM = Structure.LEFT_ATRIUM
BEATING = EllipsoidAtrium(sizes=(0.7, 1.0, 0.85))


def read_any(path: Path) -> Steps[Study]:
    """An atrium, an unlabelled one, or a heart, by the name of the folder."""
    yield Progress(0, 1, "Reading")
    if path.name == "heart":
        return (yield from read_cylinders(path))
    return BEATING.study(path, labelled=path.name == "atrium")


def predict_atrium(cine: Cine, wish: Wish) -> Steps[Any]:
    yield Progress(0, 1, "Predicting")
    return FakePrediction(BEATING.voxels(), (0, 1, 2))


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[Window]:
    yield from open_shell(qtbot, tmp_path, read=read_any, predict=predict_atrium)


def listed(window: Window) -> list[Structure]:
    rows = window.views.structures.findChildren(StructureRow)
    shown = zip(ALL_STRUCTURES, rows, strict=True)
    return [structure for structure, row in shown if row.isVisibleTo(window.views.structures)]


def draw_over(window: Window) -> list[str]:
    (box,) = (
        box
        for box in window.views.tool_panel.findChildren(QComboBox)
        if box.accessibleName() == "What may be drawn over"
    )
    return [box.itemText(number) for number in range(box.count())]


def measures(window: Window) -> str:
    panel = window.views.measures
    labels = panel.findChildren(QLabel)
    return "\n".join(label.text() for label in labels if label.isVisibleTo(panel))


def test_an_atrial_study_offers_the_atrium_alone(qtbot: QtBot, window: Window) -> None:
    open_study(qtbot, window, Path("atrium"))

    assert listed(window) == [ATRIUM]
    assert window.tools.structure is ATRIUM
    assert draw_over(window)[2:] == ["Inside left atrium"]
    assert overlay_table(window.display)[ATRIUM] != 0


def test_a_heart_looks_as_ever_also_after_an_atrium(qtbot: QtBot, window: Window) -> None:
    open_study(qtbot, window, Path("atrium"))
    window.view.set_slice(15)  # a heart has fewer
    open_study(qtbot, window, Path("heart"))

    assert listed(window) == list(HEART_STRUCTURES)
    assert window.tools.structure in HEART_STRUCTURES
    assert len(draw_over(window)) == 5
    assert "EDV" in measures(window)
    assert "atrium" not in measures(window).lower()


def test_ejection_fractions_are_absent_beside_an_atrium(qtbot: QtBot, window: Window) -> None:
    open_study(qtbot, window, Path("atrium"))
    window.view.set_phase(1)
    said = measures(window)
    found = window.measures.measure_atrium()

    assert found is not None
    assert found.largest_ml == pytest.approx(BEATING.volume_ml(1), rel=0.03)
    assert found.emptying_fraction == pytest.approx(1 - 0.7**3, abs=0.03)
    assert f"Left atrium {found.largest_ml:.1f} ml" in said
    assert "Emptying fraction 6" in said
    assert "EDV" not in said
    assert "mass" not in said


def test_the_brush_paints_the_atrium_and_volumes_follow(qtbot: QtBot, window: Window) -> None:
    open_study(qtbot, window, Path("atrium"))
    window.main.show_picture()
    window.tools.set_tool(Tool.BRUSH)
    window.view.set_slice(8)
    before, was = hands.voxels(window), window.measures.measure_atrium()
    hands.stroke(window, [(3, 3), (3, 8)])
    hands.assert_one_step(window, before)
    now = window.measures.measure_atrium()

    assert set(np.unique(hands.voxels(window))) == {0, ATRIUM}
    assert was is not None
    assert now is not None
    assert now.smallest_ml is not None
    assert was.smallest_ml is not None
    assert now.smallest_ml > was.smallest_ml


def test_a_key_brings_the_atrium_to_a_heart_and_ventricles_to_an_atrium(
    qtbot: QtBot, window: Window
) -> None:
    open_study(qtbot, window, Path("heart"))
    window.actions["paint_left_atrium"].trigger()
    assert listed(window) == list(ALL_STRUCTURES)
    assert window.tools.structure is ATRIUM
    window.actions["next_structure"].trigger()
    assert window.tools.structure is Structure.RV

    open_study(qtbot, window, Path("atrium"))
    window.actions["next_structure"].trigger()
    assert window.tools.structure is ATRIUM
    window.actions["paint_lv"].trigger()
    assert listed(window) == list(ALL_STRUCTURES)


def test_a_prediction_of_the_atrium_changes_what_is_offered(qtbot: QtBot, window: Window) -> None:
    open_study(qtbot, window, Path("nothing"))
    assert listed(window) == list(HEART_STRUCTURES)
    window.tools.set_over(DrawOver.INSIDE, Structure.LV)
    with qtbot.waitSignal(window.controllers.prediction.told):
        window.actions["predict"].trigger()

    assert listed(window) == [ATRIUM]
    assert window.tools.options.inside is ATRIUM
    qtbot.waitUntil(lambda: "EDV" not in measures(window))


def test_a_heart_with_its_atrium_shows_both(qtbot: QtBot, window: Window) -> None:
    open_study(qtbot, window, Path("heart"))
    labels = window.document.labels
    assert labels is not None
    window.document.apply(labels.patch_at(np.arange(50), ATRIUM))

    assert listed(window) == list(ALL_STRUCTURES)
    qtbot.waitUntil(lambda: "Left atrium" in measures(window))
    assert "EDV" in measures(window)


def test_the_keys_of_ed_and_es_go_where_it_is_smallest_and_largest(
    qtbot: QtBot, window: Window
) -> None:
    open_study(qtbot, window, Path("atrium"))
    phases = window.controllers.key_phases

    assert (phases.ed_phase(), phases.es_phase()) == (0, 1)


@pytest.mark.parametrize("sizes", [(1.0,), (0.7, 1.0)])
def test_a_report_shows_a_card_of_the_atrium_alone(
    qtbot: QtBot, window: Window, sizes: tuple[float, ...]
) -> None:
    atrium = EllipsoidAtrium(sizes=sizes)
    report = make_report(
        atrium.study(Path("atrium")), 0, atrium.labels(), Provenance(), program_version="0"
    )
    window.views.report.show_report(report, [])
    said = [label.text() for label in window.views.report.findChildren(QLabel)]

    assert "Left atrium" in said
    assert ("10 ml" in said) is (len(sizes) == 1)
    assert ("emptying fraction" in said) is (len(sizes) == 2)
    assert not {"Left ventricle", "ejection fraction", "EDV"} & set(said)


def test_a_prediction_of_the_atrium_leaves_ventricles_alone(qtbot: QtBot, window: Window) -> None:
    open_study(qtbot, window, Path("nothing"))
    labels = window.document.labels
    assert labels is not None
    corner, inside = np.arange(3), np.flatnonzero(BEATING.voxels())[:3]
    window.document.apply(labels.patch_at(np.union1d(corner, inside), Structure.LV))
    with qtbot.waitSignal(window.controllers.prediction.told):
        window.actions["predict"].trigger()
    flat = hands.voxels(window).reshape(-1)

    assert (flat[corner] == Structure.LV).all()
    assert (flat[inside] == ATRIUM).all()
    assert listed(window) == list(ALL_STRUCTURES)
