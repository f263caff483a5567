"""This file names the exit codes of the command (contract, section 1)."""

DONE = 0
SOME_LINES_REFUSED = 1
FAILED = 1
WRONG_USAGE = 2
BUNDLE_REFUSED = 3
SERVER_REFUSED = 4
MOVED = 1
NOT_REPLAYABLE = 3
