"""The heart in 3-D: panes, colours, what is drawn, where the eye is."""

from heartseg_gui.action_tables.spec import ActionSpec, Needs

_STUDY = Needs.STUDY


def _switch(name: str, text: str, tip: str, *keys: str, needs: Needs = _STUDY) -> ActionSpec:
    """Something that is drawn or not."""
    return ActionSpec(name, text, keys, tip, "", needs, checkable=True)


def _colouring(name: str, text: str, tip: str, needs: Needs = Needs.LABELS) -> ActionSpec:
    """What the colours of the surfaces say."""
    return ActionSpec(name, text, (), tip, "", needs, group="colouring")


def _eye(name: str, text: str, tip: str) -> ActionSpec:
    """A place to look from."""
    return ActionSpec(name, text, (), tip, "", _STUDY)


ACTIONS: tuple[ActionSpec, ...] = (
    ActionSpec(
        "show_3d",
        "&Show the 3-D view",
        ("Ctrl+3",),
        "Show the heart in 3-D beside the picture",
        "cube",
        checkable=True,
    ),
    ActionSpec(
        "space_alone",
        "3-D view &alone",
        ("Ctrl+Alt+3",),
        "Give the 3-D view the room of the slices too",
        "expand",
        checkable=True,
    ),
    ActionSpec(
        "one_pane",
        "&One picture",
        (),
        "Labels, image and slices in one picture",
        "pane",
        _STUDY,
        group="panes",
    ),
    ActionSpec(
        "three_panes",
        "&Image, label and prediction",
        (),
        "Image, label and prediction side by side, turned together",
        "panes",
        _STUDY,
        group="panes",
    ),
    _colouring("colour_structure", "Colours of the st&ructures", "Each structure has its colour"),
    _colouring(
        "colour_difference",
        "Colours of the &difference",
        "How far the surfaces lie from those of the other labels [mm]",
    ),
    _colouring(
        "colour_thickness", "Colours of the wall &thickness", "How thick the myocardium is [mm]"
    ),
    _colouring(
        "colour_motion",
        "Colours of the &motion",
        "How far the wall has come since ED [mm]",
        Needs.LABELS | Needs.PHASES,
    ),
    _switch("space_fog", "Image as a &fog", "Draw the image itself, dense where it is bright"),
    _switch("space_slice", "S&lice on the screen", "Draw the slice where it lies in the heart"),
    _switch("space_long_axes", "Long-a&xis images", "Draw the other views of the study in place"),
    _switch(
        "space_net",
        "Reference as a &net",
        "Draw the surfaces of the reference over the labels",
        needs=Needs.REFERENCE,
    ),
    _switch("space_focus", "Only round the &heart", "Draw nothing far from the labels"),
    _switch(
        "space_cut", "&Cut at the slice", "Draw nothing between the slice and you", "Ctrl+Alt+C"
    ),
    _eye(
        "look_heart", "&Upright heart", "Look as textbooks do: base above, right ventricle in front"
    ),
    _eye("look_front", "From the f&ront", "Look from the front, head up, at all of it"),
    _eye("look_left", "From the &left", "Look from the patient's left"),
    _eye("look_feet", "From the f&eet", "Look from the feet, as at a slice"),
    _eye("look_apex", "From the &apex", "Look from the apex to the base"),
    _eye("look_base", "From the &base", "Look from the base into the ventricles"),
    _eye("look_septum", "Onto the ri&ght ventricle", "Look at the heart from the septal side"),
    _eye("look_lateral", "Onto the la&teral wall", "Look at the heart from the lateral side"),
)

MENU = (
    "&View > 3-&D view",
    "show_3d space_alone | one_pane three_panes | colour_structure colour_difference"
    " colour_thickness colour_motion | space_fog space_slice space_long_axes space_net"
    " space_focus space_cut",
)
LOOK_MENU = (
    "&View > Loo&k from",
    "look_heart | look_front look_left look_feet | look_apex look_base look_septum look_lateral",
)
"""Beside the menu of the 3-D view, as a menu within a menu within a menu is hard to hit."""
