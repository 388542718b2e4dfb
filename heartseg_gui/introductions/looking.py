"""Places in the stack, and how the picture is drawn."""

from heartseg_gui.program import Window


def introduce(window: Window) -> None:
    """Keys and menus that look around."""
    viewing, actions, view = window.controllers.viewing, window.actions, window.view
    key_phases, picture = window.controllers.key_phases, window.views.picture
    for name, answer in (
        ("slice_up", viewing.slice_up),
        ("slice_down", viewing.slice_down),
        ("phase_back", viewing.phase_back),
        ("phase_on", viewing.phase_on),
        ("play", view.set_playing),
        ("slower", viewing.play_slower),
        ("faster", viewing.play_faster),
        ("go_ed", key_phases.go_to_ed),
        ("go_es", key_phases.go_to_es),
        ("show_images", window.main.show_picture),
        ("show_report", window.main.show_report),
        ("study_check", window.main.show_check),
        ("zoom_in", picture.zoom_in),
        ("zoom_out", picture.zoom_out),
        ("fit", picture.fit),
        ("auto_window", viewing.fit_window),
        ("brighter", viewing.brighter),
        ("darker", viewing.darker),
        ("more_contrast", viewing.more_contrast),
        ("less_contrast", viewing.less_contrast),
        ("smooth", window.display.set_smooth),
        ("montage", view.set_montage),
        ("overlay", viewing.show_overlay),
        ("contours", viewing.show_contours),
        ("more_opaque", viewing.more_opaque),
        ("less_opaque", viewing.less_opaque),
        ("reference", window.display.set_reference_shown),
    ):
        actions[name].triggered.connect(answer)
    picture.cursor_moved.connect(window.views.place.show_place)
