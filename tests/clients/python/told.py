"""What the driver tells each program, and how a program tells the driver what its client met."""

import json
import os
import random

URL = os.environ["KEYWIRE_URL"]
KEY = os.environ["KEYWIRE_KEY"]
# The cursor to begin at, empty where there is none.
AFTER = os.environ.get("KEYWIRE_AFTER", "")


def say(**event):
    """Tells the driver one thing, in a line of JSON."""
    print(json.dumps(event), flush=True)


def cursor_of(frame):
    """The newest cursor of a frame of keywire.v1: that of its last line."""
    return json.loads(frame.rsplit("\n", 1)[-1])["cursor"]


def backoff(failures):
    """How long to wait after so many failures in a row, in seconds (docs/protocol.md)."""
    return random.uniform(0, min(20, 0.5 * 2**failures))
