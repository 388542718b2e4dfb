"""Volume curves, walls by segment, slices and conventions of the open labels."""
