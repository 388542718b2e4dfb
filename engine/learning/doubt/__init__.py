"""Doubt: where a prediction may be wrong, by how much, and whether the images are of its kind.

`facts` measures each slice of an answer, `trees` turns these numbers into an expected Dice and an
expected error, `familiarity` tells how far a stack lies from those the network learned from,
`model` puts them together as a file beside the weights. `collecting`, `fitting` and `measuring`
make that file from networks and patients they never saw (`heartseg calibrate`).
"""
