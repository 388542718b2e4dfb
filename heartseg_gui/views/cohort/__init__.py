"""Many studies at a glance: how far they have come, and what was measured."""
