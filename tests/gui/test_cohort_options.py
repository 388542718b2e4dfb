"""Conventions, names, key and cluster of many studies, and the question whether names stay."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication, QMessageBox
from pytestqt.qtbot import QtBot

from engine.clinical.basal import BasalRule
from engine.clinical.conventions import Conventions
from engine.clinical.profile import Profile
from engine.clinical.volumes import EndSlices
from engine.cohort.outcome import CohortTask, CohortWish, Naming
from engine.errors import CannotSaveError, HeartSegError
from engine.study import ImageSource
from heartseg_gui.controllers.agreement import Agreeing
from heartseg_gui.controllers.cohorting import Cohorting
from heartseg_gui.controllers.report_naming import is_undecided, profile_here, template_here
from heartseg_gui.controllers.reporting import Reporting
from heartseg_gui.documents.agreement import AgreementState
from heartseg_gui.documents.cohort_state import CohortOptions, CohortState
from heartseg_gui.documents.study_document import StudyDocument
from heartseg_gui.jobs import JobQueue
from heartseg_gui.settings import Settings
from heartseg_gui.views.agreement.agreement_page import AgreementPage
from heartseg_gui.views.cohort.cohort_page import CohortPage
from heartseg_gui.views.prompt_dialogs import PromptDialogs
from heartseg_gui.views.settings_dialog import SettingsDialog
from heartseg_gui.widgets.convention_button import ConventionButton
from tests.engine.test_cohort import write_study
from tests.gui.shell import PreparedAnswers, make_settings
from tests.phantoms import CylinderHeart

HALF = Conventions(basal=BasalRule.HALF)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No template and no secret of whoever runs the tests."""
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.delenv("HEARTSEG_REPORT_TEMPLATE", raising=False)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return make_settings(tmp_path)


@pytest.fixture
def jobs(qapp: QApplication) -> Iterator[JobQueue]:
    queue = JobQueue()
    yield queue
    queue.close()


class Desk:
    """The page of a cohort with its controller, without the rest of the window."""

    def __init__(self, jobs: JobQueue, settings: Settings, answers: PreparedAnswers) -> None:
        self.state, self.jobs = CohortState(), jobs
        self.cohorting = Cohorting(self.state, jobs, settings, answers)  # type: ignore[arg-type]
        self.page = CohortPage(self.state)
        self.page.options.options_wanted.connect(self.cohorting.set_options)
        self.page.options.key_wanted.connect(self.cohorting.choose_key)
        self.page.options.no_key_wanted.connect(self.cohorting.forget_key)
        self.failures: list[Exception] = []
        self.cohorting.failed.connect(self.failures.append)

    def settle(self, qtbot: QtBot) -> None:
        qtbot.waitUntil(lambda: not self.jobs.jobs and not self.state.running, timeout=30_000)


@pytest.fixture
def desk(qtbot: QtBot, jobs: JobQueue, settings: Settings, answers: PreparedAnswers) -> Desk:
    made = Desk(jobs, settings, answers)
    qtbot.addWidget(made.page)
    return made


@pytest.fixture
def patients(tmp_path: Path) -> Path:
    for name in ("one", "two"):
        write_study(tmp_path / "patients" / name)
    return tmp_path / "patients"


def test_the_menu_tells_another_convention(qtbot: QtBot) -> None:
    button = ConventionButton()
    qtbot.addWidget(button)
    assert button.text() == "Conventions: usual"
    with qtbot.waitSignal(button.conventions_wanted) as told:
        button.action_of("basal", BasalRule.HALF).trigger()

    assert told.args == [HALF]
    assert not button.action_of("basal", BasalRule.HALF).isChecked()  # not granted yet
    button.show_conventions(HALF)
    assert button.action_of("basal", BasalRule.HALF).isChecked()
    assert button.text() == "Conventions: 1 changed"
    assert "half" in button.toolTip()
    with qtbot.waitSignal(button.conventions_wanted) as told:
        button.usual.trigger()
    assert told.args == [Conventions()]


def test_studies_are_planned_anew_by_other_conventions(
    qtbot: QtBot, desk: Desk, patients: Path, tmp_path: Path
) -> None:
    desk.cohorting.take(patients, tmp_path / "out")
    desk.settle(qtbot)
    before = desk.state.tasks
    desk.page.options.conventions.action_of("end_slices", EndSlices.HALF_GAP).trigger()
    desk.settle(qtbot)

    assert desk.state.options.conventions.end_slices is EndSlices.HALF_GAP
    assert [task.wish.conventions.end_slices for task in desk.state.tasks] == [
        EndSlices.HALF_GAP
    ] * 2
    assert {task.fingerprint for task in before}.isdisjoint(
        task.fingerprint for task in desk.state.tasks
    )


def test_workers_and_cluster_do_the_same_work(
    qtbot: QtBot, desk: Desk, patients: Path, tmp_path: Path, settings: Settings
) -> None:
    desk.cohorting.take(patients, tmp_path / "out")
    desk.settle(qtbot)
    before = desk.state.tasks
    desk.page.options.workers.setValue(3)
    desk.page.options.scheduler.setText(" tcp://127.0.0.1:8786 ")
    desk.page.options.scheduler.editingFinished.emit()

    assert desk.state.options.scheduler == settings.scheduler == "tcp://127.0.0.1:8786"
    assert not desk.page.options.workers.isEnabled()  # the cluster has its own
    assert desk.state.tasks is before
    assert not desk.jobs.jobs


def test_the_work_goes_to_the_cluster_that_is_named(
    qtbot: QtBot, desk: Desk, patients: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def run_on_cluster(_tasks: Any, address: str) -> Any:
        asked.append(address)
        raise HeartSegError("Nobody answers.", hint="Look.")
        yield

    monkeypatch.setattr("engine.cohort.cluster.run_on_cluster", run_on_cluster)
    desk.cohorting.take(patients, tmp_path / "out")
    desk.settle(qtbot)
    desk.page.options.scheduler.setText("tcp://10.0.0.1:8786")
    desk.page.options.scheduler.editingFinished.emit()
    desk.cohorting.run()
    desk.settle(qtbot)

    assert asked == ["tcp://10.0.0.1:8786"]
    assert ["Nobody answers." in str(failure) for failure in desk.failures] == [True]


def test_pseudonyms_for_all_hide_folders_and_their_key_is_written(
    qtbot: QtBot, desk: Desk, patients: Path, tmp_path: Path, answers: PreparedAnswers
) -> None:
    desk.cohorting.take(patients, tmp_path / "out")
    desk.settle(qtbot)
    assert desk.page.table.names == ["one", "two"]
    desk.page.options.naming.setCurrentIndex(desk.page.options.naming.findData(Naming.HIDDEN.value))
    desk.page.options.naming.activated.emit(desk.page.options.naming.currentIndex())
    desk.settle(qtbot)
    answers.path = tmp_path / "key.csv"
    desk.page.options.key.click()
    assert desk.page.options.key.text() == "Key: key.csv"
    desk.cohorting.run()
    desk.settle(qtbot)

    assert all(name.startswith("HS-") for name in desk.page.table.names)
    assert desk.state.count("done") == 2
    lines = (tmp_path / "key.csv").read_text("utf-8-sig").splitlines()
    assert {line.rpartition("/")[2] for line in lines[1:]} == {"one", "two"}
    table = (tmp_path / "out" / "cohort.csv").read_text("utf-8-sig")
    assert str(patients) not in table
    places: list[dict[str, Path]] = []
    desk.cohorting.places_told.connect(places.append)
    desk.cohorting.compare()
    assert set(places[0].values()) == {patients / "one", patients / "two"}


def test_a_key_among_the_results_is_refused(
    qtbot: QtBot, desk: Desk, patients: Path, tmp_path: Path, answers: PreparedAnswers
) -> None:
    desk.cohorting.take(patients, tmp_path / "out")
    desk.settle(qtbot)
    answers.path = tmp_path / "out" / "key.csv"
    desk.page.options.key.click()

    assert desk.state.options.key is None
    assert isinstance(desk.failures[0], CannotSaveError)


def test_names_that_stay_need_no_key(qtbot: QtBot, desk: Desk, tmp_path: Path) -> None:
    desk.cohorting.set_options(replace(CohortOptions(), key=tmp_path / "key.csv"))
    assert desk.page.options.no_key.isVisibleTo(desk.page)
    desk.cohorting.set_options(replace(desk.state.options, naming=Naming.KEPT))

    assert desk.state.options.key is None
    assert not desk.page.options.key.isEnabled()


def test_a_cohort_follows_the_window_until_something_is_chosen_in_it(
    desk: Desk, settings: Settings
) -> None:
    settings.set_conventions(HALF.as_facts())
    settings.set_report_profile(Profile.HOSPITAL)
    desk.cohorting.follow_window()
    assert desk.state.options.conventions == HALF
    assert desk.state.options.naming is Naming.KEPT
    desk.page.options.conventions.usual.trigger()
    settings.set_report_profile(Profile.RESEARCH)
    desk.cohorting.follow_window()

    assert desk.state.options.conventions == Conventions()
    assert desk.state.options.naming is Naming.DICOM


def test_the_tables_of_a_nameless_cohort_still_open_their_studies(
    qtbot: QtBot, jobs: JobQueue, settings: Settings, answers: PreparedAnswers
) -> None:
    state, opened = AgreementState(), []
    agreeing = Agreeing(state, jobs, settings, answers)  # type: ignore[arg-type]
    agreeing.open_wanted.connect(opened.append)
    state.know_places({"HS-1": Path("/data/one")})
    agreeing.open_study("HS-1")
    agreeing.open_study("HS-2")

    assert opened == [Path("/data/one")]


def test_labels_beside_the_table_of_a_cohort_are_measured_like_it(
    jobs: JobQueue, settings: Settings, answers: PreparedAnswers
) -> None:
    state = AgreementState()
    agreeing = Agreeing(state, jobs, settings, answers)  # type: ignore[arg-type]
    agreeing.take_over(HALF)
    agreeing.follow_window()
    assert state.conventions == HALF
    agreeing.set_conventions(Conventions())
    agreeing.take_over(HALF)  # chosen on the page itself: that stays

    assert state.conventions == Conventions()


def test_other_conventions_measure_the_sources_of_agreement_anew(
    qtbot: QtBot,
    jobs: JobQueue,
    settings: Settings,
    answers: PreparedAnswers,
    patients: Path,
) -> None:
    state = AgreementState()
    agreeing = Agreeing(state, jobs, settings, answers)  # type: ignore[arg-type]
    page = AgreementPage(state)
    qtbot.addWidget(page)
    page.sources.conventions_wanted.connect(agreeing.set_conventions)
    agreeing.add(patients)
    qtbot.waitUntil(lambda: state.readings is not None and not jobs.jobs)
    page.sources.conventions.action_of("basal", BasalRule.HALF).trigger()
    qtbot.waitUntil(lambda: not jobs.jobs)

    assert state.readings is not None
    assert state.readings.conventions_of(state.readings.readings[0]) == (HALF,)
    assert page.sources.conventions.text() == "Conventions: 1 changed"


class Exporter(QObject):
    """A document whose images came as DICOM, and what an export asks."""

    def __init__(self, jobs: JobQueue, settings: Settings, answers: PreparedAnswers) -> None:
        super().__init__()
        heart = CylinderHeart()
        study = heart.study(Path("/nowhere/anna"))
        sources = {(0, 0): ImageSource(Path("/nowhere/anna/1.dcm"), 0)}
        stack = replace(study.stacks[0], sources=sources)
        document = StudyDocument(self)
        document.set_study(replace(study, stacks=(stack,)))
        self.reporting = Reporting(document, jobs, settings, answers)  # type: ignore[arg-type]


def test_the_first_export_asks_once_whether_names_stay(
    qtbot: QtBot, jobs: JobQueue, settings: Settings, answers: PreparedAnswers
) -> None:
    exporter = Exporter(jobs, settings, answers)
    answers.path, answers.profile = None, None
    exporter.reporting.export_report()  # thought again: nothing is written, nothing is decided
    assert answers.asked == ["profile"]
    assert settings.report_profile is None
    answers.profile = Profile.HOSPITAL
    exporter.reporting.export_report()
    exporter.reporting.export_report()

    assert answers.asked.count("profile") == 2
    assert settings.report_profile is Profile.HOSPITAL
    assert template_here(settings).profile is Profile.HOSPITAL


def test_a_template_that_says_it_is_not_asked_about(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = tmp_path / "report.toml"
    monkeypatch.setenv("HEARTSEG_REPORT_TEMPLATE", str(template))
    template.write_text('language = "de"\n')
    assert is_undecided(settings)
    template.write_text('profile = "hospital"\n')

    assert not is_undecided(settings)
    assert profile_here(settings) is Profile.HOSPITAL
    settings.set_report_profile(Profile.RESEARCH)  # the reader's own word counts more
    assert template_here(settings).profile is Profile.RESEARCH


def test_the_settings_change_the_answer(qtbot: QtBot, settings: Settings, tmp_path: Path) -> None:
    settings.set_report_profile(Profile.HOSPITAL)
    dialog = SettingsDialog(settings)
    qtbot.addWidget(dialog)
    assert dialog.names.currentIndex() == 2
    dialog.names.setCurrentIndex(1)
    dialog.accept()

    assert make_settings(tmp_path).report_profile is Profile.RESEARCH
    settings.set_report_profile(None)
    assert make_settings(tmp_path).report_profile is None


@pytest.mark.parametrize(
    ("button", "answer"),
    [("Leave names &out", Profile.RESEARCH), ("&Keep names", Profile.HOSPITAL), ("Cancel", None)],
)
def test_the_question_has_three_answers(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, button: str, answer: Profile | None
) -> None:
    def press(box: QMessageBox) -> int:
        found = [
            each
            for each in box.buttons()
            if each.text().replace("&", "") == button.replace("&", "")
        ]
        found[0].click()
        return 0

    monkeypatch.setattr(QMessageBox, "exec", press)
    assert PromptDialogs().ask_profile() is answer


def test_a_task_of_the_page_names_its_rows(qapp: QApplication) -> None:
    state = CohortState()
    task = CohortTask(Path("/data/Miller"), Path("/out/HS-1"), CohortWish(), "1", "HS-1")
    state.set_tasks([task], {})

    assert state.rows[0].name == "HS-1"
    assert state.places == {"HS-1": Path("/data/Miller")}
