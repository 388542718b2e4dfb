"""Edits of a label map as pure functions: each gives a patch or a plane, and changes nothing."""
