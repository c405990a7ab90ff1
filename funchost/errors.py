"""What stops the development host; every text is one line for the user."""


class HostError(Exception):
    """The host cannot start, or cannot go on; the text is one line, without secrets."""


class ConfigurationError(HostError):
    """host.json, local.settings.json, a setting or the function app itself is not usable."""


class StorageStoppedHostError(HostError):
    """Storage refused what a trigger needs (403, say); the real host stops then too."""


class WorkerRestartError(HostError):
    """A function ran into functionTimeout: the worker, and with it every other invocation, is given up."""
