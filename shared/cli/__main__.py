"""`python -m shared.cli` is `aks-copilot`."""

from shared.cli.main import main

main()
