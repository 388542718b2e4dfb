"""What the reader of a study found, as far as it concerns the stack that is measured."""

from collections.abc import Sequence
from pathlib import Path

from engine.study import Problem, Stack, Study


def repeat_problems(study: Study, stack: Stack) -> list[str]:
    """The problems of a stack and of its study as warnings, one sentence or two each.

    What concerns other stacks or views is left out, be it stated of them, of one of their files
    or of a file in a folder that holds theirs alone. Blocking problems of the study, such as
    saved labels that cannot be read, are always repeated.
    """
    others = [other for other in (*study.stacks, *study.other_views) if other is not stack]
    of_others = [problem for other in others for problem in other.problems]
    concerns = _Filter(stack, others)
    problems = list(stack.problems)
    problems += [p for p in study.problems if p not in of_others and (p.blocking or concerns(p))]
    return list(dict.fromkeys(f"{p.what} {p.hint}".strip() for p in problems))


class _Filter:
    """Tells by its place whether a problem can concern a stack."""

    def __init__(self, stack: Stack, others: Sequence[Stack]) -> None:
        self._files = set(stack.files)
        self._other_files = {file for other in others for file in other.files} - self._files
        self._folders = {file.parent for file in self._files}
        self._other_folders = {file.parent for file in self._other_files} - self._folders
        self._other_names = {other.cine.name for other in others} - {stack.cine.name}

    def __call__(self, problem: Problem) -> bool:
        """Whether nothing says that the problem is another image's."""
        place = Path(problem.where)
        if problem.where in self._other_names or place in self._other_files:
            return False
        return place.parent not in self._other_folders
