"""The pure heart: manifests, rules, patches, proofs. Knows nothing of Azure, HTTP or a model SDK."""
