"""Training: planning one before the start, and looking on while it learns."""
