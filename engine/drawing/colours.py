"""The colours of the structures, for whatever draws them; needs no drawing library."""

CLASS_COLOURS = {
    "rv": "#ffd400",
    "myocardium": "#2fbf71",
    "lv": "#e5383b",
    "left_atrium": "#00c8ff",
}
"""Colour of each structure's contour on an image; the window shows the same."""

_OTHER_CLASS = "#00c8ff"  # the one class of the other tasks; seen on grey and on mucosa
_READABLE = {"#ffd400": "#d9a900"}  # yellow that can be seen on white


def rgb_of(colour: str) -> tuple[int, int, int]:
    """Red, green and blue of `#rrggbb`, 0..255."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def class_colours(classes: tuple[str, ...], *, on_white: bool = False) -> dict[str, str]:
    """The colour of each class by name, the background left out.

    Args:
        classes: Names by class number, as a task has them.
        on_white: For lines on paper instead of contours on an image.
    """
    colours = {name: CLASS_COLOURS.get(name, _OTHER_CLASS) for name in classes[1:]}
    if on_white:
        return {name: _READABLE.get(colour, colour) for name, colour in colours.items()}
    return colours
