"""Networks made ready to run: where, how precisely, and by which library.

`make_executor` is the way in. PyTorch always works; OpenVINO is quicker on processors and is used
where the self-test of the machine finds that, and that it gives the same labels.
"""

from engine.learning.execution.executor import Answer, Executor, RuntimeWish
from engine.learning.execution.selection import choose_execution, executor_steps, make_executor

__all__ = [
    "Answer",
    "Executor",
    "RuntimeWish",
    "choose_execution",
    "executor_steps",
    "make_executor",
]
