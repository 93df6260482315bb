"""A UCM of old, whose key exchange today's OpenSSL refuses."""

import base64
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from gateway.drivers.ucm.https import TlsSettings, Trust, tls_context
from gateway.simulators.certificate import fingerprint_of, write_certificate

OAKLEY_2 = int(  # RFC 2409, 6.2: 1024 bits
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE65381FFFFFFFFFFFFFFFF",
    16,
)


@pytest.fixture
def old_server(tmp_path):
    """A TLS server as an old UCM has it: TLS 1.2 at most, Diffie-Hellman of 1024 bits."""
    numbers = b"\x02\x81\x81\x00" + OAKLEY_2.to_bytes(128) + b"\x02\x01\x02"  # p and g in DER
    group = base64.b64encode(b"\x30\x81" + bytes([len(numbers)]) + numbers).decode()
    (tmp_path / "dh.pem").write_text(
        f"-----BEGIN DH PARAMETERS-----\n{group}\n-----END DH PARAMETERS-----\n"
    )
    pem = write_certificate(tmp_path, is_rsa=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0")
    context.load_dh_params(tmp_path / "dh.pem")
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:

        def serve():
            while True:
                try:
                    plain, _ = listener.accept()
                except OSError:
                    return
                with (
                    plain,
                    suppress(OSError),
                    context.wrap_socket(plain, server_side=True) as secure,
                ):
                    secure.recv(100)

        pool.submit(serve)
        yield listener.getsockname()[1], pem
        listener.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("is_old", [False, True])
def test_an_old_ucm_is_spoken_to_only_when_it_is_said(old_server, is_old):
    port, pem = old_server
    pinned = TlsSettings(
        trust=Trust.PINNED,
        fingerprint=bytes.fromhex(fingerprint_of(pem).removeprefix("sha256:").replace(":", "")),
        is_old=is_old,
    )
    seen = []
    context = tls_context(pinned, seen.append)
    into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
    secure = context.wrap_bio(into, out, server_hostname="127.0.0.1")
    with socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
        for _ in range(10):
            try:
                secure.do_handshake()
                break
            except ssl.SSLWantReadError:
                plain.sendall(out.read())
                into.write(plain.recv(65536))
            except ssl.SSLError as error:
                assert not is_old, error
                assert "DH_KEY_TOO_SMALL" in str(error)
                return
    assert is_old
    assert len(seen) == 1
