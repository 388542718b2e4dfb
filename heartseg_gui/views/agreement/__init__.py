"""How readers and models agree: plots that answer, and the numbers."""
