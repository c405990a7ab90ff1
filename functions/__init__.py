"""Azure Functions triggers: decode, call shared.pipeline, return. No Kubernetes knowledge here."""
