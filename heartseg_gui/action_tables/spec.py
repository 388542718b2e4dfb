"""One line of the table of actions."""

from dataclasses import dataclass
from enum import Flag, auto


class Needs(Flag):
    """What must be there for an action to make sense."""

    NOTHING = 0
    STUDY = auto()  # a stack or view is on the screen
    LABELS = auto()  # it can be labelled
    VOLUME = auto()  # it is a stack, not a long-axis view
    PHASES = auto()  # it has more than one phase
    REFERENCE = auto()  # reference labels came with it
    FREE = auto()  # no prediction is under way


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One line of the table.

    Attributes:
        name: How the program calls it.
        text: What the menu says.
        keys: Shortcuts, the one that is shown first.
        tip: What it does, in a sentence without a full stop.
        icon: File in `resources/icons` without `.svg`, or empty.
        needs: When it is enabled.
        group: Actions of one group exclude each other and stay pressed.
        checkable: Whether it stays pressed.
        in_picture: Its keys work only while the picture has the focus, so that the arrow keys
            still walk through lists.
    """

    name: str
    text: str
    keys: tuple[str, ...] = ()
    tip: str = ""
    icon: str = ""
    needs: Needs = Needs.NOTHING
    group: str = ""
    checkable: bool = False
    in_picture: bool = False
