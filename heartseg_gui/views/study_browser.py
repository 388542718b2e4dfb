"""The open study as a tree, and the studies that were opened before."""

from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QFrame,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSizePolicy,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from engine.structures import Structure
from engine.study import Origin, Patient, Stack, Study
from heartseg_gui.actions import show_tip
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.settings import Settings
from heartseg_gui.theme import colours_of, icon, themed_icon

_INDEX = Qt.ItemDataRole.UserRole

_ORIGINS = {
    Origin.REFERENCE: "reference",
    Origin.PREDICTED: "predicted",
    Origin.CORRECTED: "corrected",
    Origin.UNKNOWN: "of unknown origin",
}


class StudyBrowser(QWidget):
    """What was found in the folder: stacks, further views, labels, and what to be wary of.

    Signals:
        folder_wanted: The reader wants to choose a folder.
        open_requested: Open the study at a `Path` again.
        stack_requested: Show a stack, or a further view, by its number.
        check_requested: Show what was found in the folder.
    """

    folder_wanted = Signal()
    open_requested = Signal(Path)
    stack_requested = Signal(int)
    check_requested = Signal()

    def __init__(
        self, document: StudyDocument, settings: Settings, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._settings = settings
        self._open = QPushButton("Open folder…")
        self._patient = QLabel()
        self._patient.setWordWrap(True)
        self._facts = _caption()
        self._tree = _make_tree()
        self._problems = QPushButton()
        self._recent_title = QLabel("Recent")
        self._recent = QListWidget()
        self._recent.setObjectName("recent_studies")
        self._recent.setAccessibleName("Recent studies")
        self._lay_out()

        self._open.clicked.connect(self.folder_wanted)
        self._problems.clicked.connect(self.check_requested)
        self._tree.itemClicked.connect(self._ask_for_stack)
        self._tree.itemActivated.connect(self._ask_for_stack)
        self._recent.itemClicked.connect(self._ask_for_recent)
        self._recent.itemActivated.connect(self._ask_for_recent)
        document.study_changed.connect(self.show_state)
        document.stack_changed.connect(self._mark_stack)
        settings.recent_changed.connect(self._show_recent)
        self.show_state()

    def show_state(self) -> None:
        """Draw all of the study, e.g. after the theme has changed."""
        study = self._document.study
        self._tree.clear()
        for widget in (self._tree, self._facts, self._patient):
            widget.setVisible(study is not None)
        self._problems.setVisible(study is not None and bool(study.problems))
        if study is not None:
            self._show_study(study)
        self._mark_stack()
        self._show_recent()

    def _lay_out(self) -> None:
        show_tip(self._open, "Open a patient folder, or drop one here", "open")
        self._patient.setProperty("role", "heading")
        self._recent_title.setProperty("role", "heading")
        show_tip(self._problems, "Show what was found in the folder", "study_check")
        self._recent.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self._recent.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._recent.setFrameShape(QFrame.Shape.NoFrame)
        self._recent.setMinimumHeight(48)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 8, 6, 8)
        layout.setSpacing(8)
        for widget in (self._open, self._patient, self._facts):
            layout.addWidget(widget)
        layout.addWidget(self._tree, stretch=3)
        layout.addWidget(self._problems)
        layout.addWidget(self._recent_title)
        layout.addWidget(self._recent, stretch=1)
        layout.addStretch(0)  # takes the room while there is neither tree nor list

    def _show_study(self, study: Study) -> None:
        self._patient.setText(study.name)
        self._facts.setText(_describe_patient(study.patient) or "No facts about the patient.")
        named = "Stacks" if _is_atrial(study) else "Short-axis stacks"
        stacks = self._add_group(named if study.stacks else "No short-axis stack")
        for number, stack in enumerate(study.stacks):
            self._add_stack(stacks, stack, number)
        if study.other_views:
            others = self._add_group("Further views")
            for number, stack in enumerate(study.other_views, start=len(study.stacks)):
                self._add_stack(others, stack, number)
        if study.labels or study.view_labels:
            labels = self._add_group("Labels in the folder")
            for stored in (*study.labels, *study.view_labels):
                text = f"{stored.name}\n{_ORIGINS[stored.provenance.origin]}"
                self._add_line(labels, text, "labels", stored.stack)
        self._tree.expandAll()
        count = len(study.problems)
        self._problems.setText(" 1 thing to know" if count == 1 else f" {count} things to know")
        self._problems.setIcon(self._problem_icon(any(p.blocking for p in study.problems)))

    def _add_group(self, text: str) -> QTreeWidgetItem:
        group = QTreeWidgetItem(self._tree, [text])
        group.setFlags(Qt.ItemFlag.ItemIsEnabled)
        return group

    def _add_stack(self, group: QTreeWidgetItem, stack: Stack, number: int) -> None:
        cine = stack.cine
        slices = "1 slice" if cine.slice_count == 1 else f"{cine.slice_count} slices"
        phases = "1 phase" if cine.phase_count == 1 else f"{cine.phase_count} phases"
        measurable = group.text(0).startswith("Short")
        line = self._add_line(
            group,
            f"{cine.name or 'Unnamed'}\n{slices} × {phases}",
            "stack" if measurable else "long_axis",
            number,
        )
        if any(problem.blocking for problem in stack.problems):
            line.setIcon(0, self._problem_icon(True))
            line.setToolTip(0, "Cannot be measured; see the study check.")

    def _add_line(
        self, group: QTreeWidgetItem, text: str, icon_name: str, number: int
    ) -> QTreeWidgetItem:
        line = QTreeWidgetItem(group, [text])
        line.setIcon(0, themed_icon(icon_name, self.palette(), ratio=self.devicePixelRatioF()))
        line.setToolTip(0, text.replace("\n", ", "))
        line.setData(0, _INDEX, number)
        return line

    def _problem_icon(self, blocking: bool) -> QIcon:
        colours = colours_of(self.palette())
        ratio = self.devicePixelRatioF()
        if blocking:
            return icon("blocked", colours.danger, ratio=ratio)
        return icon("warning", colours.warning, ratio=ratio)

    def _mark_stack(self) -> None:
        for group in _children(self._tree.invisibleRootItem()):
            for line in _children(group):
                if line.data(0, _INDEX) == self._document.stack_index:
                    self._tree.setCurrentItem(line)
                    return

    def _show_recent(self) -> None:
        self._recent.clear()
        for path in self._settings.recent:
            line = QListWidgetItem(path.name or str(path), self._recent)
            line.setToolTip(str(path))
            line.setData(_INDEX, str(path))
        for widget in (self._recent, self._recent_title):
            widget.setVisible(self._recent.count() > 0)

    def _ask_for_stack(self, line: QTreeWidgetItem) -> None:
        number = line.data(0, _INDEX)
        if isinstance(number, int):
            self.stack_requested.emit(number)
            self._mark_stack()  # until the wish is granted

    def _ask_for_recent(self, line: QListWidgetItem) -> None:
        self.open_requested.emit(Path(line.data(_INDEX)))


def _make_tree() -> QTreeWidget:
    tree = QTreeWidget()
    tree.setHeaderHidden(True)
    tree.setAccessibleName("What was found in the folder")
    tree.setIndentation(0)
    tree.setRootIsDecorated(False)
    tree.setIconSize(QSize(16, 16))
    tree.setFrameShape(QFrame.Shape.NoFrame)
    tree.setTextElideMode(Qt.TextElideMode.ElideRight)
    tree.setMinimumHeight(90)
    return tree


def _caption() -> QLabel:
    label = QLabel()
    label.setProperty("role", "caption")
    label.setWordWrap(True)
    label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
    return label


def _children(item: QTreeWidgetItem) -> list[QTreeWidgetItem]:
    return [child for row in range(item.childCount()) if (child := item.child(row)) is not None]


def _is_atrial(study: Study) -> bool:
    """Whether some labels are of the left atrium, which is not seen in the short axis alone."""
    return any(each.labels.voxels.max() >= Structure.LEFT_ATRIUM for each in study.labels)


def _describe_patient(patient: Patient) -> str:
    sexes = {"M": "male", "F": "female", "O": "other"}
    parts = [
        sexes.get(patient.sex, patient.sex),
        "" if patient.age_years is None else f"{patient.age_years:.0f} years",
        "" if patient.height_cm is None else f"{patient.height_cm:.0f} cm",
        "" if patient.weight_kg is None else f"{patient.weight_kg:.0f} kg",
        "" if patient.heart_rate_bpm is None else f"{patient.heart_rate_bpm:.0f} beats/min",
        f"group {patient.group}" if patient.group else "",
    ]
    return " · ".join(part for part in parts if part)
