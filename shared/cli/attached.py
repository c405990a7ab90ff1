"""`python -m shared.cli.attached MODULE ARGUMENT...`: runs a module that stops when its owner goes, however the owner dies.

The owner holds the other end of standard input; when that closes, this process gets SIGTERM as from a person.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading


def _stop_with_owner() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    """Run the module that the first argument names, as `python -m` does."""
    threading.Thread(target=_stop_with_owner, daemon=True).start()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
