"""Every action of the window, one table for each part of the reader's day.

The keys follow what readers of comparable programs know by heart: Segment's for the heartbeat
(left and right, D and S), ITK-SNAP's for tools and labels.
"""

from heartseg_gui.action_tables import (
    correcting,
    files,
    help,
    looking,
    predicting,
    reporting,
    research,
    reviewing,
    space,
    space_export,
)
from heartseg_gui.action_tables.spec import ActionSpec, Needs

__all__ = ["ACTIONS", "MENUS", "TOOLBAR", "WITH_TEXT", "ActionSpec", "Needs"]

ACTIONS: tuple[ActionSpec, ...] = (
    *files.ACTIONS,
    *correcting.ACTIONS,
    *looking.ACTIONS,
    *space.ACTIONS,
    *space_export.ACTIONS,
    *predicting.ACTIONS,
    *reviewing.ACTIONS,
    *reporting.ACTIONS,
    *research.ACTIONS,
    *help.ACTIONS,
)

MENUS: tuple[tuple[str, str], ...] = (
    files.MENU,
    space_export.MENU,
    correcting.EDIT_MENU,
    correcting.SLICE_MENU,
    correcting.PHASE_MENU,
    looking.GO_MENU,
    looking.VIEW_MENU,
    space.MENU,
    space.LOOK_MENU,
    correcting.TOOLS_MENU,
    predicting.MENU,
    reviewing.MENU,
    reporting.MENU,
    research.MENU,
    help.MENU,
)
"""Menu titles and their actions; `|` is a line, `recent` and `panels` are made by the window.

`&Edit > &Slice` is a menu within the menu before, which stands earlier in the table.
"""

TOOLBAR = (
    "open save | undo redo | window pan brush eraser | fit auto_window | overlay contours montage"
    " reference | predict report show_3d"
)
WITH_TEXT = ("predict", "report")
"""Actions whose text stands beside the icon in the tool bar."""
