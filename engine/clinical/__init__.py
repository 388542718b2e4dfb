"""From labels to the numbers that a cardiologist reads."""
