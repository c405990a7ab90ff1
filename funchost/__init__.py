"""A development host for machines without Azure Functions Core Tools. In Azure the real host runs."""
