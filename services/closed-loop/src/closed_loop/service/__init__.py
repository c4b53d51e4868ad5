"""The use cases, one file an idea: load, decide, save, publish."""
