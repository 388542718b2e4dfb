"""Marks of inside and outside, with real mouse paths."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from engine.cine import Cine
from engine.correction.prompting import Prompt, resegment
from engine.labelmap import SlicePlace
from engine.progress import Progress, Steps
from engine.structures import Structure
from heartseg_gui.app import Window
from heartseg_gui.documents.tool_state import Tool
from tests.gui.hands import RIGHT, SHIFT, assert_one_step, click, plane, stroke, voxels
from tests.gui.shell import open_shell, open_study

RV, WALL, LV = Structure.RV, Structure.MYOCARDIUM, Structure.LV
HERE = (0, 3)


@pytest.fixture
def window(window: Window) -> Window:
    """The LV is 3 voxels too narrow: its rim was labelled as muscle, though it is bright."""
    window.tools.set_structure(LV)
    labels = window.document.labels
    assert labels is not None
    wrong = plane(window)
    y, x = np.indices(wrong.shape)
    wrong[(wrong == LV) & (np.hypot(y - 31.5, x - 40.5) > 9.5)] = WALL
    labels.apply(labels.patch_slice(*HERE, wrong))
    return window


class Certain:
    """A model that is sure of every voxel: muscle, or the cavity on slices that it was told."""

    def __init__(self, cine: Cine) -> None:
        self.shape = cine.shape[2:]
        self.asked: list[SlicePlace] = []

    def look(self, place: SlicePlace) -> np.ndarray:
        self.asked.append(place)
        chances = np.zeros((4, *self.shape), np.float32)
        chances[WALL] = 1
        return chances


@pytest.fixture
def opinion() -> list[Certain]:
    """The models that were made ready."""
    return []


@pytest.fixture
def advised(qtbot: QtBot, tmp_path: Path, opinion: list[Certain]) -> Iterator[Window]:
    """As `window`, with a model that can be asked."""

    def opine(cine: Cine, model: str, device: str, phase: int) -> Steps[Certain]:
        yield Progress(0, 1, "Asking")
        opinion.append(Certain(cine))
        return opinion[-1]

    for window in open_shell(qtbot, tmp_path, opine=opine):
        open_study(qtbot, window, Path("/nowhere/anna"))
        window.tools.set_structure(LV)
        yield window


def hear_out(qtbot: QtBot, window: Window, opinion: list[Certain]) -> None:
    """Until the model has said what it thinks of `HERE`."""
    opinions = window.controllers.correction.opinions
    assert opinions is not None
    qtbot.waitUntil(lambda: opinions.of(HERE) is not None, timeout=30_000)
    assert opinion[0].asked == [HERE]


def wait(qtbot: QtBot, window: Window, steps: int = 1) -> None:
    stack = window.document.undo_stack
    qtbot.waitUntil(lambda: stack.count() == steps, timeout=30_000)  # the first imports much


def answer(
    window: Window, before: np.ndarray, *prompts: Prompt, drawn: np.ndarray | None = None
) -> np.ndarray:
    """What the engine makes of the prompts."""
    assert window.document.cine is not None
    grey = window.document.cine.voxels[HERE]
    return resegment(grey, before, prompts, drawn=drawn, pixel_mm=2.0)


def last_prompt(window: Window) -> Prompt:
    return window.sketch.marks.prompts[-1]


def test_a_click_inside_segments_the_slice_anew(qtbot: QtBot, window: Window) -> None:
    window.tools.set_tool(Tool.PROMPT)
    before = voxels(window)
    click(window, (31, 51))
    prompt = last_prompt(window)
    wait(qtbot, window)

    assert (prompt.y, prompt.x) == pytest.approx((31, 51), abs=0.1)
    assert prompt.structure is LV
    assert np.array_equal(plane(window), answer(window, before[HERE], prompt))
    assert plane(window)[31, 51] == LV
    assert_one_step(window, before)


@pytest.mark.parametrize("tool", [Tool.WINDOW, Tool.BRUSH, Tool.CONTOUR])
def test_shift_marks_with_any_tool(qtbot: QtBot, window: Window, tool: Tool) -> None:
    window.tools.set_tool(tool)
    before = voxels(window)
    click(window, (31, 51), modifiers=SHIFT)
    wait(qtbot, window)

    assert plane(window)[31, 51] == LV
    assert_one_step(window, before)


@pytest.mark.parametrize(("at", "becomes"), [((31, 48), WALL), ((31, 56), Structure.BACKGROUND)])
def test_what_is_outside_becomes_what_lies_nearest(
    qtbot: QtBot, window: Window, at: tuple[int, int], becomes: Structure
) -> None:
    """Within the cavity's border that is muscle, within the epicardium's it is background."""
    window.tools.set_tool(Tool.PROMPT)
    window.tools.set_structure(LV if becomes is WALL else WALL)
    click(window, at, RIGHT)
    prompt = last_prompt(window)
    wait(qtbot, window)

    assert prompt.structure is becomes
    assert plane(window)[at] == becomes


def test_the_model_is_asked_about_the_slice_and_heard(
    qtbot: QtBot, advised: Window, opinion: list[Certain]
) -> None:
    """It is asked once while the tool is in hand; the answer is what the engine makes of it."""
    advised.tools.set_tool(Tool.PROMPT)
    hear_out(qtbot, advised, opinion)
    before = plane(advised)
    click(advised, (31, 55))
    prompt = last_prompt(advised)
    wait(qtbot, advised)
    assert advised.document.cine is not None
    grey, chances = advised.document.cine.voxels[HERE], opinion[0].look(HERE)
    heard = resegment(grey, before, [prompt], probabilities=chances, pixel_mm=2.0)

    assert np.array_equal(plane(advised), heard)
    assert not np.array_equal(plane(advised), resegment(grey, before, [prompt], pixel_mm=2.0))
    assert opinion[0].asked[:-1] == [HERE]  # the last one is this test's
    assert len(opinion) == 1


def test_a_mark_on_another_slice_waits_for_the_model(
    qtbot: QtBot, advised: Window, opinion: list[Certain]
) -> None:
    """With another tool in hand nobody has asked before; the model is ready by the second slice."""
    click(advised, (31, 55), modifiers=SHIFT)
    wait(qtbot, advised)
    hear_out(qtbot, advised, opinion)
    advised.view.set_slice(2)
    before = plane(advised)
    click(advised, (31, 55), modifiers=SHIFT)
    wait(qtbot, advised, steps=2)
    assert advised.document.cine is not None
    grey, chances = advised.document.cine.voxels[0, 2], opinion[0].look((0, 2))
    marks = advised.sketch.marks.prompts

    assert opinion[0].asked == [HERE, (0, 2), (0, 2)]
    heard = resegment(grey, before, marks, probabilities=chances, pixel_mm=2.0)
    assert np.array_equal(plane(advised), heard)


def test_a_scribble_is_one_step(qtbot: QtBot, window: Window) -> None:
    window.tools.set_tool(Tool.PROMPT)
    before = voxels(window)
    stroke(window, [(24, 48), (27, 50), (31, 51), (35, 50), (38, 48)])
    prompts = window.sketch.marks.prompts
    wait(qtbot, window)

    assert len(prompts) == 5
    assert np.array_equal(plane(window), answer(window, before[HERE], *prompts))
    assert_one_step(window, before)


def test_marks_are_forgotten_with_their_step(qtbot: QtBot, window: Window) -> None:
    window.tools.set_tool(Tool.PROMPT)
    click(window, (31, 51))
    wait(qtbot, window)
    assert len(window.sketch.marks.prompts) == 1
    window.actions["undo"].trigger()

    assert not window.sketch.marks.prompts


def test_marks_stay_for_the_next_one(qtbot: QtBot, window: Window) -> None:
    window.tools.set_tool(Tool.PROMPT)
    click(window, (31, 51))
    wait(qtbot, window)
    between = plane(window)
    click(window, (20, 42))
    prompts = window.sketch.marks.prompts
    wait(qtbot, window, 2)

    assert len(prompts) == 2
    assert np.array_equal(plane(window), answer(window, between, *prompts))


def test_marks_made_meanwhile_are_taken_up(qtbot: QtBot, window: Window) -> None:
    """Two quick clicks: the second waits for the first, and nothing is lost."""
    window.tools.set_tool(Tool.PROMPT)
    click(window, (31, 51))
    click(window, (20, 42))
    assert window.document.undo_stack.count() == 0
    wait(qtbot, window, 2)

    assert plane(window)[31, 51] == plane(window)[20, 42] == LV


def test_what_a_person_drew_is_never_overwritten(qtbot: QtBot, window: Window) -> None:
    """The reader painted a piece of the rim as muscle; marks beside it leave it alone."""
    window.tools.set_tool(Tool.BRUSH)
    window.tools.set_structure(RV)
    window.tools.set_radius(3.0)
    stroke(window, [(26, 51), (31, 51)])
    before = plane(window)
    drawn = before == RV
    drawn[:, :34] = False  # the RV itself
    assert drawn.sum() > 10
    window.tools.set_structure(LV)
    click(window, (37, 50), modifiers=SHIFT)
    prompt = last_prompt(window)
    wait(qtbot, window, 2)

    assert (plane(window)[drawn] == RV).all()
    assert np.array_equal(plane(window), answer(window, before, prompt, drawn=drawn))


def test_unless_the_reader_says_so(qtbot: QtBot, window: Window) -> None:
    window.tools.set_tool(Tool.BRUSH)
    window.tools.set_structure(RV)
    window.tools.set_radius(3.0)
    stroke(window, [(26, 51), (31, 51)])
    before = plane(window)
    window.tools.set_structure(LV)
    window.tools.set_over_drawn(True)
    click(window, (29, 51), modifiers=SHIFT)
    prompt = last_prompt(window)
    wait(qtbot, window, 2)

    assert plane(window)[29, 51] == LV
    assert np.array_equal(plane(window), answer(window, before, prompt))


def test_what_an_operation_made_may_change(qtbot: QtBot, window: Window) -> None:
    """The reader shifted the labels; that is no drawing, and marks still work everywhere."""
    window.actions["shift_up"].trigger()
    before = plane(window)
    click(window, (32, 51), modifiers=SHIFT)
    prompt = last_prompt(window)
    wait(qtbot, window, 2)

    assert np.array_equal(plane(window), answer(window, before, prompt))


def test_a_taken_back_stroke_protects_nothing(qtbot: QtBot, window: Window) -> None:
    before = plane(window)
    window.tools.set_tool(Tool.BRUSH)
    window.tools.set_radius(6.0)
    stroke(window, [(26, 51), (31, 51)])
    window.actions["undo"].trigger()
    click(window, (31, 51), modifiers=SHIFT)
    prompt = last_prompt(window)
    qtbot.waitUntil(lambda: window.document.undo_stack.canUndo(), timeout=30_000)

    assert np.array_equal(plane(window), answer(window, before, prompt))


def test_what_is_painted_meanwhile_stays(qtbot: QtBot, window: Window) -> None:
    window.tools.set_tool(Tool.BRUSH)
    window.tools.set_structure(RV)
    window.tools.set_radius(3.0)
    window.tools.set_structure(LV)
    click(window, (37, 50), modifiers=SHIFT)
    window.tools.set_structure(RV)
    click(window, (5, 5))
    wait(qtbot, window, 2)

    assert plane(window)[5, 5] == RV
    assert plane(window)[37, 50] == LV


def test_a_mark_that_says_what_is_so_changes_nothing(qtbot: QtBot, window: Window) -> None:
    window.tools.set_tool(Tool.PROMPT)
    with qtbot.waitSignal(window.controllers.correction.told, timeout=30_000) as told:
        click(window, (31, 40))

    assert "nothing changes" in told.args[0]
    assert not window.document.modified


def test_another_study_forgets_the_marks(qtbot: QtBot, window: Window) -> None:
    window.tools.set_tool(Tool.PROMPT)
    click(window, (31, 51))
    wait(qtbot, window)
    window.document.undo_stack.setClean()
    open_study(qtbot, window, Path("/nowhere/berta"))

    assert not window.sketch.marks.prompts
    assert not window.document.modified
