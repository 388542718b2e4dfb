"""Agreement of readings in the window: sources, choices, plots that answer, files."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from engine.clinical.conventions import Conventions, PapillaryRule
from engine.clinical.measured_readings import Measured, MeasuredReadings
from engine.clinical.measured_sources import Gathered
from engine.progress import run_to_end
from heartseg_gui.app import Window
from heartseg_gui.controllers.agreement import compare_steps
from heartseg_gui.documents.agreement import AgreementChoice, AgreementState
from heartseg_gui.plot_axes import Frame, Range, nice_ticks, tick_text
from tests.gui.shell import PreparedAnswers, open_shell


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path, answers: PreparedAnswers) -> Iterator[Window]:
    yield from open_shell(qtbot, tmp_path, prompts=answers)


def write_readings(folder: Path) -> Path:
    """Two readers of six patients in two groups; patients lie in folders of their names."""
    lines = ["study,reading,group,folder,lv_edv_ml,lv_ef_percent"]
    for reader, bias in (("Ann", 2.0), ("Ben", 0.0)):
        for number in range(6):
            edv_ml = 100 + 20 * number + bias * (number + 1)
            group = "DCM" if number % 2 else "NOR"
            lines.append(f"p{number},{reader},{group},p{number},{edv_ml},{60 - number - bias}")
            (folder / f"p{number}").mkdir(exist_ok=True)
    path = folder / "readings.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def settle(qtbot: QtBot, window: Window) -> None:
    """Until what was read has been compared."""
    state = window.research.agreement
    qtbot.waitUntil(
        lambda: (
            not window.jobs.jobs
            and state.result.choice == state.choice
            and (state.result.pairs is not None or bool(state.result.refusal))
        )
    )


def add_readings(qtbot: QtBot, window: Window, answers: PreparedAnswers, folder: Path) -> Path:
    answers.path = write_readings(folder)
    window.actions["agreement"].trigger()
    window.research.agreement_page.sources.table_wanted.emit()
    settle(qtbot, window)
    return answers.path


def test_a_table_is_added_and_both_readers_are_compared(
    qtbot: QtBot, window: Window, answers: PreparedAnswers, tmp_path: Path
) -> None:
    add_readings(qtbot, window, answers, tmp_path)
    page = window.research.agreement_page

    assert answers.asked == ["Add a table"]
    assert page.isVisible()
    assert page.correlation.isVisible()
    assert page.differences.isVisible()
    assert window.research.agreement.choice == AgreementChoice("Ann", "Ben", "lv_ef_percent")
    assert [page.table.text_at(row, "Patients") for row in range(3)] == ["All", "DCM", "NOR"]
    assert page.table.text_at(0, "Bias") == "−2.0"
    assert page.table.text_at(0, "n") == "6"


def test_before_anything_is_added_the_page_says_how_to_begin(window: Window) -> None:
    window.actions["agreement"].trigger()
    page = window.research.agreement_page

    assert not page.correlation.isVisible()
    assert not page.sources.export.isEnabled()
    assert page.sources.add.isEnabled()


def test_a_click_on_a_point_opens_that_study(
    qtbot: QtBot, window: Window, answers: PreparedAnswers, tmp_path: Path
) -> None:
    add_readings(qtbot, window, answers, tmp_path)
    plot = window.research.agreement_page.differences
    with qtbot.waitSignal(window.document.study_changed):
        QTest.mouseClick(plot, Qt.MouseButton.LeftButton, pos=plot.pixel_of("p3"))

    assert window.document.study is not None
    assert window.document.study.folder == tmp_path / "p3"
    assert window.views.picture.isVisible()


def test_a_click_beside_the_points_opens_nothing(
    qtbot: QtBot, window: Window, answers: PreparedAnswers, tmp_path: Path
) -> None:
    add_readings(qtbot, window, answers, tmp_path)
    plot = window.research.agreement_page.correlation
    with qtbot.assertNotEmitted(plot.chosen):
        QTest.mouseClick(plot, Qt.MouseButton.LeftButton, pos=QPoint(3, 3))


def test_the_mouse_marks_the_same_study_in_both_plots(
    qtbot: QtBot, window: Window, answers: PreparedAnswers, tmp_path: Path
) -> None:
    add_readings(qtbot, window, answers, tmp_path)
    page = window.research.agreement_page
    state = window.research.agreement
    seen = {state.mark: page.differences.grab().toImage()}
    # The pointer of the screen may leave the plot at any time and take the mark away again.
    state.mark_changed.connect(
        lambda: seen.setdefault(state.mark, page.differences.grab().toImage())
    )
    QTest.mouseMove(page.correlation, page.correlation.pixel_of("p2"))

    assert list(seen)[:2] == ["", "p2"]
    assert seen["p2"] != seen[""]


def test_the_keys_walk_from_point_to_point_and_open_one(
    qtbot: QtBot, window: Window, answers: PreparedAnswers, tmp_path: Path
) -> None:
    """Means of the EF fall with the number of the patient, so right goes from p5 to p4."""
    add_readings(qtbot, window, answers, tmp_path)
    plot = window.research.agreement_page.differences
    plot.setFocus()
    marks = []
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Left, Qt.Key.Key_Left):
        QTest.keyClick(plot, key)
        marks.append(window.research.agreement.mark)

    assert marks == ["p5", "p4", "p5", "p0"]
    with qtbot.waitSignal(window.document.study_changed):
        QTest.keyClick(plot, Qt.Key.Key_Return)
    assert window.document.study is not None
    assert window.document.study.folder == tmp_path / "p0"


def test_a_row_of_the_table_shows_its_group_alone(
    qtbot: QtBot, window: Window, answers: PreparedAnswers, tmp_path: Path
) -> None:
    add_readings(qtbot, window, answers, tmp_path)
    page = window.research.agreement_page
    page.table.selectRow(1)
    settle(qtbot, window)

    assert window.research.agreement.choice.group == "DCM"
    assert {point.group for point in page.differences.points} == {"DCM"}
    assert len(page.differences.points) == 3
    page.table.selectRow(0)
    settle(qtbot, window)
    assert len(page.differences.points) == 6


def test_the_limits_follow_the_chosen_factor(
    qtbot: QtBot, window: Window, answers: PreparedAnswers, tmp_path: Path
) -> None:
    add_readings(qtbot, window, answers, tmp_path)
    state = window.research.agreement
    state.choose(quantity="lv_edv_ml")
    settle(qtbot, window)
    narrow = state.result.summaries[0].agreement.upper_limit
    state.choose(limits_factor=2.0)
    settle(qtbot, window)
    wide = state.result.summaries[0].agreement

    assert narrow is not None
    assert wide.upper_limit is not None
    assert wide.upper_limit > narrow
    assert wide.bias == pytest.approx(7.0)


def test_a_point_without_a_folder_says_so(
    qtbot: QtBot, window: Window, answers: PreparedAnswers, tmp_path: Path
) -> None:
    path = tmp_path / "bare.csv"
    path.write_text("study,reading,lv_edv_ml\np1,A,100\np1,B,103\np2,A,90\np2,B,91\n")
    window.research.agreeing.add(path)
    settle(qtbot, window)
    with qtbot.waitSignal(window.research.agreeing.told) as told:
        window.research.agreeing.open_study("p1")

    assert "p1" in told.args[0]


def test_the_plots_are_written_as_svg_png_and_pdf(
    qtbot: QtBot, window: Window, answers: PreparedAnswers, tmp_path: Path
) -> None:
    add_readings(qtbot, window, answers, tmp_path)
    for kind, start in (("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")):
        answers.path = tmp_path / f"plots.{kind}"
        with qtbot.waitSignal(window.research.agreeing.told, timeout=20000):
            window.research.agreement_page.sources.figure_wanted.emit(kind)
        assert answers.path.read_bytes().startswith(start)


def test_everything_is_written_to_a_folder(
    qtbot: QtBot, window: Window, answers: PreparedAnswers, tmp_path: Path
) -> None:
    add_readings(qtbot, window, answers, tmp_path)
    answers.path = tmp_path / "out"
    with qtbot.waitSignal(window.research.agreeing.told, timeout=30000):
        window.research.agreement_page.sources.all_wanted.emit()

    assert (answers.path / "agreement.csv").is_file()
    assert len(list((answers.path / "figures").iterdir())) == 6


def test_reading_again_takes_what_has_changed(
    qtbot: QtBot, window: Window, answers: PreparedAnswers, tmp_path: Path
) -> None:
    path = add_readings(qtbot, window, answers, tmp_path)
    state = window.research.agreement
    state.choose(quantity="lv_edv_ml")
    settle(qtbot, window)
    path.write_text(path.read_text().replace("p0,Ann,NOR,p0,102.0", "p0,Ann,NOR,p0,142.0"))
    with qtbot.waitSignal(state.readings_changed):
        window.research.agreement_page.sources.again.click()
    settle(qtbot, window)

    assert state.choice.quantity == "lv_edv_ml"
    assert state.result.pairs is not None
    assert state.result.pairs.points[0].difference == 42.0


def test_what_cannot_be_read_is_told_and_what_was_there_stays(
    qtbot: QtBot, window: Window, answers: PreparedAnswers, tmp_path: Path
) -> None:
    add_readings(qtbot, window, answers, tmp_path)
    broken = tmp_path / "broken.csv"
    broken.write_text("study,lv_edv_ml\np1,many\n")
    with qtbot.waitSignal(window.research.agreeing.failed):
        window.research.agreeing.add(broken)

    assert window.research.agreement.readings is not None
    assert window.research.agreement.readings.readings == ("Ann", "Ben")
    assert window.dialogs.error is not None
    window.dialogs.error.close()


def test_clearing_forgets_everything(
    qtbot: QtBot, window: Window, answers: PreparedAnswers, tmp_path: Path
) -> None:
    add_readings(qtbot, window, answers, tmp_path)
    window.research.agreement_page.sources.clear.click()

    assert window.research.agreement.gathered is None
    assert not window.research.agreement_page.differences.isVisible()
    assert window.research.agreement_page.differences.points == ()


def readings(**more: Any) -> Gathered:
    rows = [
        Measured(f"p{n}", name, {"lv_edv_ml": 100.0 + 10 * n, "rv_edv_ml": 80.0 + n}, **kept)
        for name, kept in (("net", {}), ("Reference", more))
        for n in range(4)
    ]
    return Gathered(MeasuredReadings(rows), ())


def test_the_reference_is_what_others_are_held_against_at_first() -> None:
    state = AgreementState()
    state.set_gathered((), readings())

    assert (state.choice.first, state.choice.second) == ("net", "Reference")
    state.choose(second="net")
    assert state.choice.second == "net"
    state.choose(first="nobody", quantity="nothing", group="none", limits_factor=3.0)
    assert state.choice == AgreementChoice("Reference", "net", "lv_edv_ml", "", 1.96)


def test_readings_of_other_conventions_are_not_compared_and_the_page_gets_the_reason() -> None:
    rows = [
        Measured("p1", name, {"lv_edv_ml": 100.0, "rv_edv_ml": 90.0}, conventions=made)
        for name, made in (
            ("A", Conventions()),
            ("B", Conventions(papillary=PapillaryRule.MASS)),
        )
    ]
    found = MeasuredReadings(rows)
    refused = run_to_end(compare_steps(found, AgreementChoice("A", "B", "lv_edv_ml")))
    allowed = run_to_end(compare_steps(found, AgreementChoice("A", "B", "rv_edv_ml")))

    assert refused.pairs is None
    assert "papillary" in refused.refusal
    assert allowed.refusal == ""
    assert allowed.pairs is not None


@pytest.mark.parametrize(
    ("low", "high", "most", "ticks"),
    [
        (0, 10, 5, [0, 2, 4, 6, 8, 10]),
        (-1.2, 0.9, 5, [-1, -0.5, 0, 0.5]),
        (93, 261, 4, [100, 150, 200, 250]),
        (5, 5, 4, [5]),
    ],
)
def test_ticks_are_round_numbers(low: float, high: float, most: int, ticks: list[float]) -> None:
    assert nice_ticks(low, high, most) == pytest.approx(ticks)


def test_ticks_have_the_digits_they_need() -> None:
    assert [tick_text(v, 2.5) for v in (-2.5, 0, 5)] == ["−2.5", "0.0", "5.0"]
    assert [tick_text(v, 50) for v in (-50, -0.0, 100)] == ["−50", "0", "100"]
    assert tick_text(0.25, 0.25) == "0.25"


def test_values_lie_where_the_axes_say() -> None:
    frame = Frame(QRectF(10, 20, 100, 50), Range(0, 10), Range(-1, 1))

    assert frame.place(0, -1).toTuple() == (10, 70)
    assert frame.place(10, 1).toTuple() == (110, 20)
    assert frame.place(5, 0).toTuple() == (60, 45)
    one = Range.around(4, 4)
    assert one.low < 4 < one.high
