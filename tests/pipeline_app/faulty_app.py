"""function_app.py on a storage that misbehaves once per place: dies there with SIGKILL, and sends every message twice.

KILL_AT is a comma-separated list of `send:<queue>` and `write:<text in container/name>`, each with `:before` or `:after`; the
folder KILL_MARKS remembers over restarts which ones have happened.
"""

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

from function_app import app
from shared import services
from shared.settings import load_settings

__all__ = ["app"]
PLACES = [place.rsplit(":", 1) for place in os.environ["KILL_AT"].split(",") if place]


def die(place: str, when: str) -> None:
    for wanted, moment in PLACES:
        mark = Path(os.environ["KILL_MARKS"]) / f"{wanted}-{moment}".replace("/", "_")
        if moment == when and place.startswith(wanted.partition(":")[0] + ":") and wanted.partition(":")[2] in place and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)


class Faulty:
    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def write(self, container: str, name: str, data: bytes, **how: Any) -> bool:
        die(f"write:{container}/{name}", "before")
        done = self._inner.write(container, name, data, **how)
        die(f"write:{container}/{name}", "after")
        return done

    def send(self, queue: str, text: str, **how: Any) -> None:
        die(f"send:{queue}", "before")
        self._inner.send(queue, text, **how)
        die(f"send:{queue}", "after")
        self._inner.send(queue, text, **how)


real = services.build_services(load_settings())
storage = Faulty(real.context.blobs)
services.install(replace(real, context=replace(real.context, blobs=storage, queue=storage)))
