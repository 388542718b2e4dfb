"""The learning loop: where it stands, what was decided and why, what to read next."""
