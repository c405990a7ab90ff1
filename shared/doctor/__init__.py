"""`aks-copilot doctor`: the checks of an installation, wired. What a check is stands in shared.domain.doctor."""
