"""Key phases, report, export."""

from heartseg_gui.program import Window


def introduce(window: Window) -> None:
    """From labels to measurements."""
    reporting, key_phases = window.controllers.reporting, window.controllers.key_phases
    actions, report = window.actions, window.views.report
    actions["set_ed"].triggered.connect(key_phases.set_ed_here)
    actions["set_es"].triggered.connect(key_phases.set_es_here)
    actions["find_key_phases"].triggered.connect(key_phases.find_again)
    for wish in (actions["report"].triggered, report.report_requested):
        wish.connect(reporting.make_report)
    for wish in (actions["export"].triggered, report.export_requested):
        wish.connect(reporting.export_report)
    reporting.report_ready.connect(report.show_report)
    reporting.report_ready.connect(window.main.show_report)
