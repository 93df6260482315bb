"""What can go wrong on a line, and whose fault it was."""


class ProtocolError(Exception):
    """Never raised itself: catch it to catch both sides' faults."""


class RemoteProtocolError(ProtocolError):
    """The PMS did it: count it, keep the bytes, carry on with the next frame."""


class RecordError(RemoteProtocolError):
    """A whole frame whose body is no record: count `reason`, keep `body`, acknowledge it.

    reason  one of a closed set of words, fit for a metric label
    body    the bytes between STX and ETX, as they came
    """

    def __init__(self, reason: str, body: bytes, advice: str) -> None:
        super().__init__(f"{reason}: {advice}")
        self.reason = reason
        self.body = body


class LocalProtocolError(ProtocolError):
    """We did it: a bug. Let the task fail loudly."""


class CannotBeSaid(ProtocolError):
    """A dialect has no record for a posting: a human has to look at it.

    reason  one of a closed set of words
    """

    def __init__(self, reason: str, why: str) -> None:
        super().__init__(f"{reason}: {why}")
        self.reason = reason
