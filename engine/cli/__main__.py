"""`python -m engine.cli` is `heartseg`."""

from engine.cli import run

run()
