"""State of the open study and of its display; QtCore and QtGui only."""
