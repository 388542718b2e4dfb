"""Folders, files and stacks."""

from heartseg_gui.program import Window


def introduce(window: Window) -> None:
    """From a wish for a folder to a study on the screen."""
    opening, views, actions = window.controllers.opening, window.views, window.actions
    actions["open"].triggered.connect(opening.choose_folder)
    actions["open_file"].triggered.connect(opening.choose_file)
    actions["open_labels"].triggered.connect(opening.choose_labels)
    views.browser.folder_wanted.connect(opening.choose_folder)
    views.browser.open_requested.connect(opening.open)
    views.browser.stack_requested.connect(opening.show_stack)
    views.browser.check_requested.connect(window.main.show_check)
    views.picture.open_requested.connect(opening.choose_folder)
    views.picture.folder_dropped.connect(opening.open)
    window.main.folder_dropped.connect(opening.open)
    window.main.recent_requested.connect(opening.open)
    opening.opened.connect(window.main.show_picture)
    window.document.stack_changed.connect(window.controllers.viewing.take_stack)
    window.document.labels_changed.connect(window.controllers.viewing.take_patch)
