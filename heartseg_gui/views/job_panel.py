"""What is being worked on, in the status bar."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QToolButton, QWidget

from engine.progress import Progress
from heartseg_gui.actions import show_tip
from heartseg_gui.jobs import Job, JobQueue
from heartseg_gui.theme import themed_icon


class JobPanel(QWidget):
    """The job that was started last, how far it is, and a button that stops it."""

    def __init__(self, jobs: JobQueue, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._shown: Job | None = None
        self._progress = Progress(0, 0, "")
        self._text = QLabel()
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(120)
        self._cancel = QToolButton()
        self._cancel.setObjectName("cancel")
        self._cancel.setIconSize(QSize(16, 16))
        show_tip(self._cancel, "Stop this", "stop")
        self._cancel.setAccessibleName("Stop this")
        self._cancel.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 4, 0)
        for widget in (self._text, self._bar, self._cancel):
            layout.addWidget(widget)

        self._cancel.clicked.connect(self.cancel_shown)
        jobs.job_started.connect(self._take_job)
        jobs.job_ended.connect(self._drop_job)
        self.show_state()

    def show_state(self) -> None:
        """Draw all of it."""
        self.setVisible(self._shown is not None)
        if self._shown is None:
            return
        self._cancel.setIcon(themed_icon("close", self.palette(), ratio=self.devicePixelRatioF()))
        others = len(self._jobs.jobs) - 1
        doing = self._progress.doing or "waiting"
        more = f" (and {others} more)" if others > 0 else ""
        self._text.setText(f"{self._shown.title}: {doing}{more}")
        self._bar.setRange(0, self._progress.total)
        self._bar.setValue(self._progress.done)

    def cancel_shown(self) -> None:
        """Ask the job that is shown to stop; nothing where there is none."""
        if self._shown is not None:
            self._shown.cancel()
            self._progress = Progress(0, 0, "stopping")
            self.show_state()

    def _take_job(self, job: Job) -> None:
        self._watch(job)
        job.progressed.connect(self._take_progress)

    def _take_progress(self, progress: Progress) -> None:
        if self.sender() is self._shown:
            self._progress = progress
            self.show_state()

    def _drop_job(self, job: Job) -> None:
        if job is self._shown or self._shown is None:
            self._watch(self._jobs.jobs[-1] if self._jobs.jobs else None)
        else:
            self.show_state()

    def _watch(self, job: Job | None) -> None:
        self._shown = job
        self._progress = Progress(0, 0, "")
        self.show_state()
