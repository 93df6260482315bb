"""The end of a certificate, held against the library that knows all of it."""

from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.drivers.der import valid_until

KEY = ec.generate_private_key(ec.SECP256R1())


def certificate(ends, name="UCM"):
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder(
        subject, subject, KEY.public_key(), x509.random_serial_number(), datetime(1950, 1, 1), ends
    )
    return builder.sign(KEY, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


@settings(max_examples=60)
@given(
    st.datetimes(datetime(1950, 1, 2), datetime(9999, 12, 31)).map(
        lambda moment: moment.replace(microsecond=0)
    ),
    st.text("abcXYZ", min_size=1, max_size=60),
)
def test_it_is_what_the_library_says(ends, name):
    der = certificate(ends, name)
    assert valid_until(der) == x509.load_der_x509_certificate(der).not_valid_after_utc
    assert valid_until(der) == ends.replace(tzinfo=UTC)


@given(st.binary(max_size=80))
def test_no_bytes_raise(data):
    assert valid_until(data) is None or valid_until(data).tzinfo is UTC


WHOLE = certificate(datetime(2036, 1, 1))


@given(st.integers(0, 10_000), st.integers(1, 255), st.integers(0, 10_000))
def test_no_damage_raises(place, flipped, end):
    der = bytearray(WHOLE)
    der[place % len(der)] ^= flipped
    valid_until(bytes(der[: end % (len(der) + 1)]))


@pytest.mark.parametrize("cut", [0, 1, 2, 5, 60])
def test_half_a_certificate_has_no_end(cut):
    assert valid_until(certificate(datetime(2036, 1, 1))[:cut]) is None
