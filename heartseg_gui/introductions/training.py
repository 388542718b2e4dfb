"""From a recipe to a model."""

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

from heartseg_gui.program import Window

if TYPE_CHECKING:
    from heartseg_gui.training_parts import TrainingParts
    from heartseg_gui.views.training.training_page import TrainingPage


def introduce(window: Window) -> None:
    """Who plans, who trains, who looks on."""
    window.research.training.when_made(partial(_introduce_parts, window))
    window.research.training.tab.when_made(partial(_introduce_page, window))


def _introduce_parts(window: Window, parts: "TrainingParts") -> None:
    parts.planning.order_made.connect(parts.training.start)
    for worker in (parts.planning, parts.training):
        worker.told.connect(window.research.window.show_message)
        worker.failed.connect(window.dialogs.show_error)


def _introduce_page(window: Window, page: "TrainingPage") -> None:
    parts = window.research.training.parts
    planning, training = parts.planning, parts.training
    page.runs.chosen.connect(parts.runs.choose)
    page.plan.recipes.recipe_wanted.connect(planning.choose_recipe)
    form, outlook, live = page.plan.form, page.plan.outlook, page.live
    form.changed.connect(planning.change)
    form.option_changed.connect(planning.change_option)
    form.reset_wanted.connect(parts.plan.reset)
    form.open_wanted.connect(planning.open_recipe)
    form.save_wanted.connect(planning.save_recipe)
    outlook.add_wanted.connect(planning.add_folder)
    outlook.remove_wanted.connect(planning.remove_folder)
    outlook.out_wanted.connect(planning.choose_out)
    outlook.device_wanted.connect(planning.set_device)
    outlook.look_wanted.connect(planning.look)
    outlook.stop_wanted.connect(planning.stop)
    outlook.start_wanted.connect(planning.start)
    live.pause_wanted.connect(training.pause)
    live.go_on_wanted.connect(training.go_on)
    live.stop_wanted.connect(training.stop)
    live.keep_wanted.connect(training.keep)
    live.drop_wanted.connect(training.drop)
    live.folder_wanted.connect(partial(_open_folder, window))
    live.use_wanted.connect(partial(_use, window))
    live.watched.epoch_wanted.connect(parts.record.show_epoch)
    training.load()
    planning.look_at_devices()


def _use(window: Window, key: str) -> None:
    run = window.research.training.parts.runs.get(key)
    if run is not None:
        window.research.experiments.experimenting.make_active(run.out)


def _open_folder(window: Window, key: str) -> None:
    run = window.research.training.parts.runs.get(key)
    if run is not None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(run.out)))
