"""Use cases: load, decide, save, publish. One file an idea."""
