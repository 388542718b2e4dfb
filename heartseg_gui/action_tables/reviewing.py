"""Approving, findings, the queue, comparisons."""

from heartseg_gui.action_tables.spec import ActionSpec, Needs

_LABELS = Needs.LABELS
_VOLUME = Needs.LABELS | Needs.VOLUME

ACTIONS: tuple[ActionSpec, ...] = (
    ActionSpec(
        "next_left",
        "&Next slice to approve",
        ("Ctrl+Alt+N",),
        "Go to the next slice that is not approved",
        "",
        _LABELS,
    ),
    ActionSpec(
        "previous_left",
        "&Previous slice to approve",
        ("Ctrl+Alt+P",),
        "Go to the slice before that is not approved",
        "",
        _LABELS,
    ),
    ActionSpec(
        "next_worst",
        "Next &worst slice",
        ("Ctrl+Alt+W",),
        "Go to the slice with the largest expected error that is left",
        "",
        _LABELS,
    ),
    ActionSpec(
        "left_only",
        "&Only what is left",
        ("Ctrl+Alt+M",),
        "The montage leaves out what is approved",
        "",
        _LABELS,
        checkable=True,
    ),
    ActionSpec(
        "approve_slice",
        "&Approve this slice",
        ("Ctrl+Alt+A",),
        "Call this slice right and go on to the next; Return does the same",
        "check",
        _LABELS,
    ),
    ActionSpec(
        "doubt_slice",
        "Take the approval of this slice &back",
        ("Ctrl+Alt+B",),
        "This slice is to be looked at again",
        "",
        _LABELS,
    ),
    ActionSpec(
        "approve_phase",
        "Approve this p&hase",
        ("Ctrl+Alt+H",),
        "Call every slice of this phase right",
        "",
        _LABELS,
    ),
    ActionSpec(
        "approve_study",
        "Approve the &study…",
        ("Ctrl+Alt+Return",),
        "Approve all of it with name and note; the report loses its watermark",
        "",
        _LABELS,
    ),
    ActionSpec("reopen_study", "Open the study a&gain…", (), "Take its approval back", "", _LABELS),
    ActionSpec(
        "second_reading",
        "Second &reading…",
        (),
        "Read again without seeing the first reader's labels",
        "",
        _VOLUME,
    ),
    ActionSpec(
        "queue_folder",
        "&Queue of a folder…",
        ("Ctrl+Alt+Q",),
        "Order the studies of a folder by their expected error",
    ),
    ActionSpec("show_review", "Re&view panel", ("Ctrl+4",), "Go to states, findings and the queue"),
    ActionSpec(
        "compare", "&Compare readings", ("Ctrl+5",), "Prediction, readers, reference", "", _VOLUME
    ),
)

MENU = (
    "Revie&w",
    "next_left previous_left next_worst left_only | approve_slice doubt_slice approve_phase |"
    " approve_study reopen_study second_reading | queue_folder show_review compare",
)
