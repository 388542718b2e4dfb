"""Fixtures of the journeys: garbage as in the tests of the window."""

from tests.gui.garbage import garbage_collected_between_tests, old_objects_set_aside

__all__ = ["garbage_collected_between_tests", "old_objects_set_aside"]
