"""The question of `documents.loop_prompts`, asked with a dialog."""

from html import escape

from heartseg_gui.widgets.confirmation import confirm


class LoopDialogs:
    """Asks the reader over whatever window is active."""

    def ask_leaving(self, loop: str) -> bool:
        """Whether to close the program though a round is under way; Escape stays."""
        return confirm(
            "Learning loop",
            f"A round of {escape(loop)} is under way.",
            "It goes on from its last whole epoch when you next run it (Research, Learning loop).",
            yes="&Stop and close",
            no="&Keep learning",
        )
