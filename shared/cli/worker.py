"""What a worker process needs; multiprocessing's fork server imports it once for all of them (see shared.cli.parallel)."""

import shared.cli.main  # the program's entry, which every worker imports again
from shared.domain.rulebook import built_in

__all__ = ["shared"]

built_in()
