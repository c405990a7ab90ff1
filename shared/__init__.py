"""aks-copilot: everything that is neither a trigger (functions/) nor the development host (funchost/)."""

__version__ = "0.1.0"
