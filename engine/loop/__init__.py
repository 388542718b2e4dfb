"""Learning from corrected studies: rounds of fine-tuning, each judged before it is adopted.

A *loop* is a folder: what was collected from readers, which patients are locked away for judging,
every candidate that was trained, and what was decided about it. Nothing in it is ever deleted.
"""
