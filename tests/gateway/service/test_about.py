"""What a site shows of itself."""

from datetime import UTC, datetime

from gateway.config import load
from gateway.config.password_hash import hash_password
from gateway.service.about import about

PASSWORDS = ("first-secret", "second-secret")


def test_everything_is_shown_but_secrets(tmp_path):
    hashed = hash_password("third-secret")
    path = tmp_path / "gateway.toml"
    path.write_text(
        '[pms]\nline = "tcp:10.0.0.5:5010"\n[ucm]\nurl = "https://10.0.0.6:8089/api"\nusername = "u"\n'
        f'password = "{PASSWORDS[0]}"\npms_username = "h"\npms_password = "{PASSWORDS[1]}"\n'
        f'tls = "ca"\n[store]\nurl = "postgresql://u:fourth-secret@h/d"\n[http]\npassword_hash = "{hashed}"\n'
    )
    told = about(load(path), datetime(2030, 1, 2, tzinfo=UTC))
    text = str(told)
    assert not any(secret in text for secret in (*PASSWORDS, hashed, "fourth-secret"))
    assert told["Configuration"]["ucm.password"] == "***"
    assert told["Configuration"]["pms.line"] == "tcp:10.0.0.5:5010"
    assert told["Configuration"]["fias.ack (settled)"] == "False"
    assert told["Certificate of the UCM"]["expires"] == "02 January 2030"
    assert about(load(path), None)["Certificate of the UCM"]["expires"] == "not seen yet"
