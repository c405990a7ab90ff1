"""One file per outside system; each implements ports of shared.domain.ports and translates errors."""
