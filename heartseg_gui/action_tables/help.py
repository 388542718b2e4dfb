"""What helps the reader."""

from heartseg_gui.action_tables.spec import ActionSpec

ACTIONS: tuple[ActionSpec, ...] = (
    ActionSpec("shortcuts", "&Keys", ("?", "F1"), "All keys and mouse moves", "keyboard"),
    ActionSpec("self_test", "&Self-test…", (), "Which way to compute is quickest on this machine"),
    ActionSpec("open_log", "Open the &log folder", (), "Where the program writes its log"),
    ActionSpec("about", "&About HeartSeg", (), "Version and licence", "info"),
)

MENU = ("&Help", "shortcuts self_test open_log | about")
