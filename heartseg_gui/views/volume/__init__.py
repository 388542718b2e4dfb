"""The heart in 3-D."""
