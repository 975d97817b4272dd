"""What a person can do something about."""


class Refused(Exception):
    """Nothing was sent, or nothing can be said of what was sent; the text says why, and what would help."""
