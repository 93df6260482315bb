"""`doctor` asks each phone of the site what it is, and says so where one cannot be asked."""

import pytest

from gateway.config import load
from gateway.simulators.phone import PhoneSimulator
from gateway.tools import doctor_phones
from tests.program import free_port

SITE = """
[site]
[pms]
line = "tcp:127.0.0.1:9"
[ucm]
url = "https://127.0.0.1:9/api"
username = "u"
password = "p"
pms_username = "h"
pms_password = "p"
tls = "insecure"
[phones]
file = "phones.toml"
"""


@pytest.mark.asyncio
async def test_each_phone_says_what_it_is_or_why_not(tmp_path):
    phones = {room: PhoneSimulator(number=room) for room in ("101", "102", "103")}
    for each in phones.values():
        await each.start()
    phones["102"].is_registered = False
    phones["103"].password = "another one"
    lines = [f'"{room}" = "{each.address}"' for room, each in phones.items()]
    lines.append(f'"104" = "127.0.0.1:{free_port()}"')
    (tmp_path / "phones.toml").write_text(
        f'password = "{phones["101"].password}"\n[rooms]\n' + "\n".join(lines)
    )
    (tmp_path / "gateway.toml").write_text(SITE)
    tried = [each async for each in doctor_phones.tried(load(tmp_path / "gateway.toml"))]
    for each in phones.values():
        await each.stop()
    assert [(each.room, each.ok) for each in tried] == [
        ("101", True), ("102", False), ("103", False), ("104", False),
    ]  # fmt: skip
    words = [each.words for each in tried]
    assert words[0].endswith(", registered")
    assert words[1].endswith(", not registered")
    assert "user or password is wrong" in words[2]
    assert "is it on, and" in words[3]


@pytest.mark.asyncio
async def test_one_that_refused_the_service_is_not_tried_again(tmp_path, monkeypatch):
    """Five wrong logins lock it."""
    phone = PhoneSimulator(number="101", password="another one")
    await phone.start()

    async def asked(*_):
        return [{"room": "101", "is_refused": True, "trouble": "user or password is wrong"}]

    monkeypatch.setattr(doctor_phones, "ask", asked)
    (tmp_path / "phones.toml").write_text(f'password = "x"\n[rooms]\n"101" = "{phone.address}"\n')
    (tmp_path / "gateway.toml").write_text(SITE)
    (tried,) = [each async for each in doctor_phones.tried(load(tmp_path / "gateway.toml"))]
    await phone.stop()
    assert (tried.ok, "not tried: user or password" in tried.words) == (False, True)
    assert phone.wrong == 0
