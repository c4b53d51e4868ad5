"""The use cases, one file an idea."""
