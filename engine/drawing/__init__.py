"""Figures about experiments: matplotlib's Figure on the Agg canvas, never pyplot."""
