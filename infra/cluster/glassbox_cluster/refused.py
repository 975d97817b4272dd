"""What a command refuses, or gives up on: the message is for people and says what to do."""


CANNOT = 75  # sysexits' EX_TEMPFAIL: not here, not now


class Refused(Exception):
    """The status is 2 for what was asked wrongly, 1 for what went wrong, 75 where the machine lacks what
    it takes: a test that wants a cluster is then skipped, not failed."""

    def __init__(self, message: str, status: int = 1):
        super().__init__(message)
        self.status = status
