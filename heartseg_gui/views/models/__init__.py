"""Models: choosing one, its card, how it runs here."""
