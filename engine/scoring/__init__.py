"""How well two label maps agree."""
