"""What every tool answers to."""

from heartseg_gui.documents.tool_state import Press
from heartseg_gui.documents.view_state import CursorPlace


class HandTool:
    """A tool that presses, movements and keys go to; each kind answers to those it knows.

    A gesture, from press to release or from the first click to the last, is one step of undo.
    """

    @property
    def busy(self) -> bool:
        """Whether something was begun that waits for its end."""
        return False

    def take_up(self) -> None:
        """The tool was taken in hand, or another slice came on the screen."""

    def put_down(self) -> None:
        """Another tool was taken, or another study: forget what was begun."""

    def press(self, place: CursorPlace, press: Press) -> None:
        """A button was pressed on a slice."""

    def drag(self, y: float, x: float) -> None:
        """The mouse moved to (y, x) [voxels] of that slice with the button down."""

    def release(self) -> None:
        """The button was released."""

    def hover(self, place: CursorPlace | None) -> None:
        """The mouse moved without a button; None beside the picture."""

    def finish(self) -> None:
        """Return, or a double click: what was begun is complete."""

    def step_back(self) -> None:
        """Backspace: take the last point away."""

    def give_up(self) -> None:
        """Esc: forget what was begun."""
