"""Widgets that show state and emit wishes."""
