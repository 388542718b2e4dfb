"""Dialogs over the window."""

from PySide6.QtCore import QObject, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication, QDialog, QMainWindow, QMessageBox, QWidget

from heartseg_gui.crash import log_folder, program_version
from heartseg_gui.documents.model_choice import ModelChoice
from heartseg_gui.settings import Settings
from heartseg_gui.theme import program_icon
from heartseg_gui.views.error_dialog import ErrorDialog
from heartseg_gui.views.models.model_dialog import ModelDialog
from heartseg_gui.views.models.self_test_dialog import SelfTestDialog
from heartseg_gui.views.settings_dialog import SettingsDialog
from heartseg_gui.views.shortcuts_dialog import ShortcutsDialog
from heartseg_gui.views.volume.export_dialogs import (
    FilmExportDialog,
    PictureExportDialog,
    PrintExportDialog,
    SurfaceExportDialog,
)


class WindowDialogs(QObject):
    """Opens dialogs over the window, without stopping it."""

    def __init__(self, window: QMainWindow, settings: Settings) -> None:
        super().__init__(window)
        self._window = window
        self._settings = settings
        self.error: ErrorDialog | None = None

    def show_error(self, error: Exception) -> None:
        """Say what went wrong; an error that comes while another is shown takes its place."""
        if self.error is not None:
            self.error.close()
        self.error = ErrorDialog(error, self._front())
        self.error.finished.connect(self._forget_error)
        self.error.open()

    def show_settings(self) -> SettingsDialog:
        """Let the reader change the settings; whoever asked connects the dialog's wishes."""
        dialog = SettingsDialog(self._settings, self._window)
        self._open(dialog)
        return dialog

    def show_self_test(self, model: str, over: QWidget | None = None) -> SelfTestDialog:
        """Show how a model runs here; whoever asked connects the dialog with the test.

        Args:
            model: Title of the model.
            over: The dialog that it was asked for in; None for the window.
        """
        dialog = SelfTestDialog(model, over or self._window)
        self._open(dialog)
        return dialog

    def show_models(self, choice: ModelChoice) -> ModelDialog:
        """Show the models and their cards; whoever asked connects the dialog's wishes."""
        dialog = ModelDialog(choice, self._window)
        self._open(dialog)
        return dialog

    def show_shortcuts(self) -> None:
        """List all keys and let the reader change them."""
        self._open(ShortcutsDialog(self._settings, self._window))

    def show_surface_export(self, phases: int) -> SurfaceExportDialog:
        """Let the reader choose files of surfaces; `phases` are labelled."""
        dialog = SurfaceExportDialog(phases, self._window)
        self._open(dialog)
        return dialog

    def show_print_export(self) -> PrintExportDialog:
        """Let the reader say what the 3-D printer needs."""
        dialog = PrintExportDialog(self._window)
        self._open(dialog)
        return dialog

    def show_film_export(self, *, beats: bool) -> FilmExportDialog:
        """Let the reader choose what moves in a film; `beats` if there is more than one phase."""
        dialog = FilmExportDialog(self._window, beats=beats)
        self._open(dialog)
        return dialog

    def show_picture_export(self) -> PictureExportDialog:
        """Let the reader say how large a picture is printed."""
        dialog = PictureExportDialog(self._window)
        self._open(dialog)
        return dialog

    def show_about(self) -> None:
        """Say what this program is."""
        box = QMessageBox(self._window)
        box.setWindowTitle("About HeartSeg")
        box.setIconPixmap(program_icon().pixmap(48, 48))
        box.setText(f"<b>HeartSeg {program_version()}</b>")
        box.setInformativeText(
            "Segments the ventricles in cardiac MR and measures them. Apache-2.0 licence. "
            "For research only; not a medical device."
        )
        self._open(box)

    def show_log_folder(self) -> None:
        """Open the folder of the log in the desktop's file manager."""
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(log_folder())))

    def _front(self) -> QWidget:
        """The window that the reader works in: this one, or another of the program."""
        active = QApplication.activeWindow()
        return active if isinstance(active, QMainWindow) else self._window

    def _open(self, dialog: QDialog) -> None:
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def _forget_error(self) -> None:
        if self.error is not None:
            self.error.deleteLater()
            self.error = None
