"""Models and what they segment."""

from functools import partial

from heartseg_gui.program import Window


def introduce(window: Window) -> None:
    """From a wish for labels to labels."""
    prediction, actions = window.controllers.prediction, window.actions
    actions["predict"].triggered.connect(prediction.predict_key_phases)
    actions["predict_all"].triggered.connect(prediction.predict_all_phases)
    actions["predict_phase"].triggered.connect(prediction.predict_this_phase)
    actions["predict_slice"].triggered.connect(prediction.predict_this_slice)
    choosing, panel = window.controllers.choosing, window.views.models
    panel.model_chosen.connect(choosing.choose)
    panel.look_up_wanted.connect(choosing.look_up)
    for wish in (panel.card_wanted, actions["models"].triggered):
        wish.connect(partial(_show_models, window))
    window.document.stack_changed.connect(prediction.drop_stale)


def _show_models(window: Window, _checked: bool = False) -> None:
    choosing = window.controllers.choosing
    dialog = window.dialogs.show_models(window.choice)
    dialog.model_chosen.connect(choosing.choose)
    dialog.look_again_wanted.connect(choosing.look_again)
    dialog.folder_wanted.connect(choosing.open_folder)
    choosing.look_up()
