"""The aks-copilot command line (Typer). Calls the same domain code as the functions."""
