"""What `make run` calls; the demonstration itself is a part of the command line package, so that types and layers are checked."""

import sys

from shared.cli.demo import main

if __name__ == "__main__":
    sys.exit(main())
