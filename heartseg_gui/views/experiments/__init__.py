"""Trainings: a table, their curves, their numbers beside the papers, two models side by side."""
