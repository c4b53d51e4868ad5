"""What a person has to do something about before the embedded installation can go on."""


class EmbeddedError(Exception):
    """A sentence for the terminal: what is wrong and what to do about it."""
