"""Use cases in four beats: load, decide, save, publish."""
