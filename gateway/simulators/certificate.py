"""A self-signed certificate as a UCM has it: the name does not fit the address."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID


def write_certificate(
    folder: Path,
    *,
    name: str = "UCM6304",
    days: int = 3650,
    address: str | None = None,
    is_rsa: bool = False,
) -> Path:
    """Make key and certificate in one PEM file and return its path. Negative days: expired.

    address     of the machine that shows it, for who checks that; a UCM's has none
    is_rsa      as old firmware has it
    """
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey = (
        rsa.generate_private_key(65537, 2048) if is_rsa else ec.generate_private_key(ec.SECP256R1())
    )
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=4000))
        .not_valid_after(now + timedelta(days=days))
    )
    if address is not None:
        known_as = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))])
        builder = builder.add_extension(known_as, critical=False)
    certificate = builder.sign(key, hashes.SHA256())
    path = folder / f"{name.lower()}-{certificate.serial_number:x}.pem"
    path.touch(mode=0o600)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path


def fingerprint_of(pem: Path) -> str:
    """The SHA-256 of the certificate in a PEM file, as the configuration writes it."""
    digest = x509.load_pem_x509_certificate(pem.read_bytes()).fingerprint(hashes.SHA256()).hex()
    return "sha256:" + ":".join(digest[i : i + 2].upper() for i in range(0, 64, 2))
