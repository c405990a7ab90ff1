"""A decoded queue message becomes an invocation of its function."""

from __future__ import annotations

import logging

from funchost.executor import FunctionExecutor
from funchost.queue_messages import bare_metadata, trigger_data, trigger_metadata
from funchost.queue_store import Received

log = logging.getLogger("funchost.queues")


class QueueTrigger:
    """Invokes one function for the messages of one queue."""

    def __init__(self, function: str, queue: str, data_type: str, executor: FunctionExecutor) -> None:
        self._function = function
        self.queue = queue
        self._data_type = data_type
        self._executor = executor

    async def handle(self, message: Received, body: bytes) -> bool:
        """Run the function; True when it succeeded. A body that is not UTF-8 fails unless the binding wants bytes."""
        try:
            data = trigger_data(body, self._data_type)
        except UnicodeDecodeError:
            log.warning("a message of '%s' is not UTF-8 and function '%s' wants text", self.queue, self._function)
            return False
        reason = f"New queue message detected on '{self.queue}'."
        outcome = await self._executor.run(self._function, reason, data, trigger_metadata(message, body))
        return outcome.ok

    async def handle_text(self, text: str) -> bool:
        """Run the function on a text that came from the admin endpoint."""
        data = trigger_data(text.encode("utf-8"), self._data_type)
        reason = "This function was programmatically called via the host APIs."
        return (await self._executor.run(self._function, reason, data, bare_metadata(text))).ok
