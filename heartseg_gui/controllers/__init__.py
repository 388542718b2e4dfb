"""Controllers hear wishes, call the engine and give commands."""
