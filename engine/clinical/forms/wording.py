"""The words of a report in other languages, from `resources/languages`.

A language file maps English words to its own; what it lacks stays English. Warnings and
conventions are sentences made of findings and choices, and stay English in every language.
"""

import tomllib
from functools import cache

from engine.clinical.template import Language
from resources import resource_path


class Wording:
    """Says English words in another language."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._words = _words_of(language)

    def __call__(self, english: str) -> str:
        """The word in this language; as it is where the language has none."""
        return self._words.get(english, english)


@cache
def _words_of(language: Language) -> dict[str, str]:
    if language is Language.ENGLISH:
        return {}
    path = resource_path("languages", f"report.{language.value}.toml")
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    return {str(english): str(own) for english, own in content.items()}
