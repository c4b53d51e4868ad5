"""Use cases, one file an idea."""
