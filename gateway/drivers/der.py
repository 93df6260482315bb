"""When a certificate ends, read from its DER. One field is all that is wanted, and the library that
knows them all takes 8 MB of an appliance's memory.
"""

from datetime import UTC, datetime
from typing import Final

_VERSION: Final = 0xA0  # [0], absent in version 1
_FORMS: Final = {0x17: "%y%m%d%H%M%SZ", 0x18: "%Y%m%d%H%M%SZ"}  # UTCTime, GeneralizedTime
_PIVOT: Final = 50


def valid_until(der: bytes) -> datetime | None:
    """The notAfter of a certificate. None: it has none that can be read; nothing raises.

    Source: RFC 5280, 4.1: Certificate { TBSCertificate { [0] version, serialNumber, signature,
    issuer, Validity { notBefore, notAfter }, ... } }.
    """
    try:
        _, certificate, _ = _value(der)
        _, body, _ = _value(certificate)
        tag, _, rest = _value(body)
        if tag == _VERSION:
            _, _, rest = _value(rest)
        for _ in ("signature", "issuer"):
            _, _, rest = _value(rest)
        _, validity, _ = _value(rest)
        _, _, rest = _value(validity)
        tag, text, _ = _value(rest)
        moment = datetime.strptime(text.decode("ascii"), _FORMS[tag]).replace(tzinfo=UTC)
    except (ValueError, KeyError, IndexError):
        return None
    # A year of two digits is 1950 to 2049; strptime takes 1969 to 2068.
    if tag == 0x17 and moment.year >= 2000 + _PIVOT:
        return moment.replace(year=moment.year - 100)
    return moment


def _value(data: bytes) -> tuple[int, bytes, bytes]:
    """Tag and content of the first value, and what stands behind it. Raises IndexError."""
    tag, size, start = data[0], data[1], 2
    if size & 0x80:
        start += size & 0x7F
        size = int.from_bytes(data[2:start], "big")
    if start + size > len(data):
        raise IndexError
    return tag, data[start : start + size], data[start + size :]
