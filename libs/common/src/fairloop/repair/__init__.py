"""Bringing a service back to an exact state after its database, or the log, was restored."""
