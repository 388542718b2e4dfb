"""The journal of a study's edits: appended to as they are made, so that nothing is ever lost.

A journal is one file beside the labels. `frames` says how bytes become frames that show every
damage, `records` what a frame holds, `history` what the records amount to, `writing` how they
reach the disk without keeping the window waiting, `finding` what to do with a journal when its
study is opened again, and `audit` how to list who did what and when.
"""
