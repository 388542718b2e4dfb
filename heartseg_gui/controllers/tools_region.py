"""Tools of one click: fill what is connected, keep or remove a piece."""

from engine.correction.slices import flood, keep_island, remove_island
from engine.structures import Structure
from heartseg_gui.controllers.edits import Edits, where
from heartseg_gui.controllers.hand_tool import HandTool
from heartseg_gui.documents.tool_state import Press, ToolState
from heartseg_gui.documents.view_state import CursorPlace


class FillTool(HandTool):
    """Gives the piece under the mouse the active structure; the right button clears it."""

    def __init__(self, edits: Edits, tools: ToolState) -> None:
        self._edits = edits
        self._tools = tools

    def press(self, place: CursorPlace, press: Press) -> None:
        """Fill."""
        if self._edits.labels_or_say() is None:
            return
        structure = Structure.BACKGROUND if press.erases else self._tools.structure
        here = (place.phase, place.slice_index)
        before = self._edits.plane(here)
        at = _voxel_under(place, before.shape)
        rules = self._edits.rules(structure)
        wanted = flood(before, at, structure, rules, grey=self._edits.grey(here))
        patch = self._edits.push_plane(here, wanted, "Fill")
        if len(patch) == 0:
            self._edits.say("Fill: nothing changes there.")
            return
        amount = self._edits.amount(len(patch))
        done = "Cleared" if structure is Structure.BACKGROUND else "Filled"
        what = "" if structure is Structure.BACKGROUND else f" as {structure.title.lower()}"
        self._edits.say(f"{done} {amount}{what} in {where(here)}.")


class IslandTool(HandTool):
    """Keeps the piece under the mouse alone; the right button removes it instead."""

    def __init__(self, edits: Edits) -> None:
        self._edits = edits

    def press(self, place: CursorPlace, press: Press) -> None:
        """Keep or remove."""
        if self._edits.labels_or_say() is None:
            return
        here = (place.phase, place.slice_index)
        before = self._edits.plane(here)
        at = _voxel_under(place, before.shape)
        structure = Structure(before[at])
        if structure is Structure.BACKGROUND:
            self._edits.say("There is no piece of a structure under the mouse.")
            return
        operation = remove_island if press.erases else keep_island
        text = "Remove piece" if press.erases else "Keep piece"
        patch = self._edits.push_plane(here, operation(before, at), text)
        name, amount = structure.title.lower(), self._edits.amount(len(patch))
        told = f"Removed {amount} of the {name} in {where(here)}."
        self._edits.say(told if len(patch) else f"The {name} is in one piece there.")


def _voxel_under(place: CursorPlace, shape: tuple[int, ...]) -> tuple[int, int]:
    """The voxel (y, x) that the mouse is on; on the very rim of the slice it is the outermost."""
    y, x = (min(max(round(at), 0), n - 1) for at, n in zip((place.y, place.x), shape, strict=True))
    return y, x
