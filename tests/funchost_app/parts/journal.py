"""Where the sample functions write what they saw: one JSON line per call, in a file that the tests read."""

import json
import os
import threading
import time
from pathlib import Path
from typing import Any

_lock = threading.Lock()


def record(function: str, **seen: Any) -> None:
    line = json.dumps({"function": function, "pid": os.getpid(), "time": time.time(), **seen}) + "\n"
    with _lock, Path(os.environ["JOURNAL"]).open("a", encoding="utf-8") as journal:
        journal.write(line)
