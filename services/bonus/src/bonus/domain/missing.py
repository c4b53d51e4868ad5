"""Why a period cannot be calculated: guessing a figure would cost somebody money."""


class MissingFigureError(Exception):
    """A figure that the plan needs does not exist; the message says which."""
