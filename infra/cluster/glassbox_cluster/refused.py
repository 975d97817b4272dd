"""What a command refuses, or gives up on: the message is for people and says what to do."""


class Refused(Exception):
    """The status is 2 for what was asked wrongly, 1 for what went wrong."""

    def __init__(self, message: str, status: int = 1):
        super().__init__(message)
        self.status = status
