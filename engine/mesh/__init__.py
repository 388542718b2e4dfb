"""Closed surfaces of structures: made, checked, coloured; the only door to VTK's filters."""
