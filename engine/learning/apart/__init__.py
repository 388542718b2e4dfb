"""Training in a process of its own, which a window or another program follows.

The process has its own interpreter, so that it never holds the lock that the window needs; it is
polite towards other programs; and where one of the two ends, the other one lives. What it has
learned lies in the folder of the run after every epoch, and a process that is started there again
goes on to the same last bit.
"""

HIDDEN_COMMAND = "work-apart"
"""What a bundled command line is started with, since there is no interpreter."""
