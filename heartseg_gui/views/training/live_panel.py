"""A training while one looks on, and afterwards."""

from html import escape

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from engine.learning.apart.run_list import RunState
from heartseg_gui.documents.training_runs import TrainingRun, TrainingRuns
from heartseg_gui.settings import Settings
from heartseg_gui.theme import colours_of
from heartseg_gui.views.training.class_colours import class_colours, class_title
from heartseg_gui.views.training.curve_plot import CurvePlot, Series
from heartseg_gui.views.training.run_words import facts_text, state_text, trouble_text
from heartseg_gui.views.training.watched_view import WatchedView

_CAN_GO_ON = {RunState.PAUSED, RunState.STOPPED, RunState.FAILED}
_CAN_KEEP = {RunState.RUNNING, RunState.PAUSED, RunState.STOPPED, RunState.FAILED}
_CAN_STOP = {RunState.RUNNING, RunState.PAUSED, RunState.QUEUED}
_PLOT_PX = 120  # least height of a small plot


class LivePanel(QScrollArea):
    """Buttons, figures, curves, slices.

    Signals:
        pause_wanted: Key of the run.
        go_on_wanted: Likewise.
        stop_wanted: Likewise.
        keep_wanted: Stop, and make a model of the best epoch.
        drop_wanted: Take it off the list.
        folder_wanted: Show its folder.
        use_wanted: Let its model predict from now on.
    """

    pause_wanted = Signal(str)
    go_on_wanted = Signal(str)
    stop_wanted = Signal(str)
    keep_wanted = Signal(str)
    drop_wanted = Signal(str)
    folder_wanted = Signal(str)
    use_wanted = Signal(str)

    def __init__(
        self, runs: TrainingRuns, settings: Settings, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._runs, self._settings = runs, settings
        self.title, self.facts, self.trouble = QLabel(), QLabel(), QLabel()
        self._bar, self._doing = QProgressBar(), QLabel()
        self.pause, self.stop = _button("Pause"), _button("Stop")
        self.keep, self.drop = _button("Stop and keep best"), _button("Remove from list")
        self.folder, self.use = _button("Open folder"), _button("Use this model")
        self.loss, self.dice = CurvePlot("Loss"), CurvePlot("Dice", fixed=(0.0, 1.0))
        self.rate = CurvePlot("rate", logarithmic=True)
        self.speed, self.memory = CurvePlot("Samples/s"), CurvePlot("Memory, MiB")
        self.watched, self._plots = WatchedView(runs, settings), QWidget()
        self._dress()
        self._lay_out()
        self._connect()
        self.show_state()

    def _dress(self) -> None:
        self.keep.setToolTip("Stop, and make a model of the best epoch so far")
        self.stop.setToolTip("Stop; it can go on from its last whole epoch")
        self.use.setToolTip("Let this model predict wherever none is named")
        self.drop.setToolTip("Take it off this list; its folder stays")
        for label in (self.title, self.facts, self.trouble):
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.trouble.setProperty("role", "badge")
        self._doing.setProperty("role", "caption")
        self._bar.setTextVisible(False)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)

    def _lay_out(self) -> None:
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setContentsMargins(0, 0, 8, 0)
        layout.setSpacing(8)
        head = QHBoxLayout()
        head.addWidget(self.title, stretch=1)
        for button in (self.pause, self.stop, self.keep, self.use, self.drop, self.folder):
            head.addWidget(button)
        layout.addLayout(head)
        layout.addWidget(self._bar)
        layout.addWidget(self._doing)
        layout.addWidget(self.facts)
        layout.addWidget(self.trouble)
        plots = QGridLayout(self._plots)
        plots.setContentsMargins(0, 0, 0, 0)
        plots.setSpacing(10)
        plots.addWidget(self.loss, 0, 0, 1, 3)
        plots.addWidget(self.dice, 0, 3, 1, 3)
        plots.addWidget(self.watched, 1, 0, 2, 4)
        plots.addWidget(self.rate, 1, 4, 1, 2)
        small = QHBoxLayout()
        for plot in (self.speed, self.memory):
            plot.setMinimumHeight(_PLOT_PX)
            small.addWidget(plot)
        plots.addLayout(small, 2, 4, 1, 2)
        for row, share in ((0, 6), (1, 4), (2, 4)):
            plots.setRowStretch(row, share)
        for column in range(6):
            plots.setColumnStretch(column, 1)
        layout.addWidget(self._plots, stretch=100)
        layout.addStretch(1)
        self.setWidget(page)

    def _connect(self) -> None:
        self._runs.chosen_changed.connect(self.show_state)
        self._runs.run_changed.connect(self._renew)
        self._settings.appearance_changed.connect(self.show_state)
        self.pause.clicked.connect(self._tell_pause)
        for button, wish in (
            (self.stop, self.stop_wanted),
            (self.keep, self.keep_wanted),
            (self.drop, self.drop_wanted),
            (self.folder, self.folder_wanted),
            (self.use, self.use_wanted),
        ):
            button.clicked.connect(lambda _=False, wish=wish: wish.emit(self._key()))

    def _key(self) -> str:
        run = self._runs.chosen
        return "" if run is None else run.key

    def _renew(self, key: str) -> None:
        if key == self._key():
            self.show_state()

    def show_state(self) -> None:
        """Show the chosen run."""
        run = self._runs.chosen
        if run is None:
            return
        recipe = run.order.recipe
        state = escape(state_text(run))
        self.title.setText(f"<b>{escape(run.title)}</b> &nbsp; {escape(recipe.title)}<br>{state}")
        self._show_buttons(run)
        progress = run.progress
        self._bar.setRange(0, progress.total if run.state.is_active else 1)
        self._bar.setValue(progress.done if run.state.is_active else 0)
        self._bar.setVisible(run.state.is_active)
        self._doing.setText(progress.doing)
        self._doing.setVisible(run.state.is_active)
        for label, text in ((self.facts, facts_text(run)), (self.trouble, trouble_text(run))):
            label.setText(text)
            label.setVisible(bool(text))
        self._show_curves(run)
        self._plots.setVisible(bool(run.rows) or run.state.is_active)

    def _show_buttons(self, run: TrainingRun) -> None:
        state = run.state
        goes_on = state in _CAN_GO_ON
        self.pause.setText("Go on" if goes_on else "Pause")
        self.pause.setToolTip(
            "Go on from the last whole epoch"
            if goes_on and state is not RunState.PAUSED
            else "Go on"
            if goes_on
            else "Wait after this batch; memory stays taken"
        )
        self.pause.setVisible(goes_on or state is RunState.RUNNING)
        self.stop.setVisible(state in _CAN_STOP)
        self.keep.setVisible(state in _CAN_KEEP)
        self.keep.setEnabled(bool(run.rows))
        self.keep.setText("Stop and keep best" if state.is_active else "Keep best")
        self.use.setVisible(state.is_model)
        self.drop.setVisible(not state.is_active and state is not RunState.QUEUED)

    def _show_curves(self, run: TrainingRun) -> None:
        rows, accent = run.rows, colours_of(self.palette()).accent
        self.loss.show_series(
            (
                Series.of("training", rows, "loss", accent),
                Series.of("validation", rows, "val_loss", accent, dashed=True),
            )
        )
        series = []
        colours = class_colours(run.order.recipe.task, self._settings)
        for name, colour in colours.items():
            shade = "#{:02x}{:02x}{:02x}".format(*colour)
            title = class_title(name)
            series.append(Series.of(title, rows, f"dice.{name}", shade))
            series.append(Series.of(f"{title}, val.", rows, f"val_dice.{name}", shade, dashed=True))
        self.dice.show_series(series)
        self.rate.show_series((Series.of("learning rate", rows, "learning_rate", accent),))
        self.speed.show_series((Series.of("samples/s", rows, "samples_per_second", accent),))
        self.memory.show_series((Series.of("MiB", rows, "peak_memory_mb", accent),))

    def _tell_pause(self) -> None:
        run = self._runs.chosen
        if run is not None and run.state in _CAN_GO_ON:
            self.go_on_wanted.emit(run.key)
        elif run is not None:
            self.pause_wanted.emit(run.key)


def _button(text: str) -> QPushButton:
    button = QPushButton(text)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
