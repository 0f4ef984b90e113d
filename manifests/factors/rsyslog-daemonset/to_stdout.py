"""The app with its lines on stdout instead of in a file; all else is images/workload/app.py.

The tally says how many there were before a restart, as no file of its own does. A write waits while the container runtime does not read.
"""

import sys

sys.path.insert(0, "/opt/workload")

import app
import tally

STDOUT = 1


class Stdout(app.LogFile):
    """In the log file's place."""

    def __init__(self) -> None:
        self.words = tally.opened()
        self.file = STDOUT
        self.size, self.written = self.words[tally.WRITTEN_BYTES], self.words[tally.WRITTEN_LINES]
        self.head = f'{{"pod": "{tally.POD}", "seq": '


app.LogFile = Stdout
app.main()
