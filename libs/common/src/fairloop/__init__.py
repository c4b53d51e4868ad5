"""Fairloop's plumbing: events, the log, the effectively-once runtime, web, auth, the launcher. No rule of the field."""

__version__ = "0.1.0"
