"""The questions of `documents.grid_prompts`, asked with dialogs."""

from html import escape

from heartseg_gui.widgets.confirmation import confirm


class GridDialogs:
    """Asks the reader over whatever window is active."""

    def ask_leaving(self, study: str, doing: str) -> bool:
        """Whether to close though a study is being run; Escape stays."""
        return confirm(
            "Experiments",
            f"{escape(study)} is still being run.",
            f"{doing}. What is finished is kept. Run, with the same folder of results, goes on "
            "from the last whole epoch (Research, Experiments).",
            yes="&Stop and close",
            no="&Keep training",
        )
