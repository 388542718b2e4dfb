"""Measurements of speed; `python -m tests.bench` prints a table and writes out/bench.json."""
