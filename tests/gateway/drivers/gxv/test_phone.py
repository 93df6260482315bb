"""One phone over real HTTP: every action in both generations, and every quirk."""

import asyncio

import pytest
import pytest_asyncio

from gateway.drivers.gxv import (
    Account,
    Contact,
    Entry,
    Identity,
    LoginRefused,
    Phone,
    PhoneAway,
    PhoneOdd,
)
from gateway.simulators.phone import LOCKED_S, PhoneSimulator

KINDS = [
    ("manager", "challenge"),
    ("manager", "form"),
    ("cgi-bin", "challenge"),
    ("cgi-bin", "form"),
]
HOTEL = (Entry("Reception", "0"), Entry("Room service", "77"))


@pytest_asyncio.fixture(params=KINDS, ids=["-".join(kind) for kind in KINDS])
async def simulator(request):
    generation, login = request.param
    simulator = PhoneSimulator(generation=generation, login=login)
    await simulator.start()
    yield simulator
    await simulator.stop()


def phone_of(simulator, **how):
    how = {"username": simulator.username, "password": simulator.password, "timeout_s": 5.0, **how}
    return Phone(simulator.address, **how)


@pytest.mark.asyncio
async def test_it_is_wiped_and_gets_the_hotels_numbers_and_its_language(simulator):
    simulator.type_in("somebody", "5551")
    simulator.type_in("somebody else", "5552")
    phone = phone_of(simulator)
    assert await phone.wipe() == 2
    assert await phone.wipe() == 0
    assert await phone.write_directory(HOTEL) == 2
    assert await phone.write_directory(HOTEL) == 0
    assert sorted(simulator.names("Hotel")) == ["Reception", "Room service"]
    await phone.set_language("fr")
    await phone.set_language("fr")
    assert simulator.values["1362"] == "fr"
    assert simulator.asked.count("put") == 1  # what is so already is not written
    assert await phone.accounts() == [Account("101", is_registered=True)]
    assert await phone.identity() == Identity("GXV3370", "1.0.7.41")
    assert phone.api == simulator.generation
    assert all(isinstance(each, Contact) for each in await phone.contacts())
    await phone.close()


@pytest.mark.asyncio
async def test_the_hotels_numbers_change_and_a_guests_stay(simulator):
    phone = phone_of(simulator)
    await phone.write_directory(HOTEL)
    simulator.type_in("a friend", "5551")
    await phone.write_directory((HOTEL[0], Entry("Spa", "78")))
    assert sorted(simulator.names("Hotel")) == ["Reception", "Spa"]
    assert simulator.names("default") == ["a friend"]
    await phone.close()


@pytest.mark.asyncio
async def test_a_session_that_has_ended_is_begun_again(simulator):
    phone = phone_of(simulator)
    await phone.wipe()
    simulator.restart()
    assert await phone.accounts() == [Account("101", is_registered=True)]
    await phone.reboot()
    assert await phone.wipe() == 0
    await phone.close()


@pytest.mark.asyncio
async def test_a_wrong_password_is_tried_once_and_said(simulator):
    phone = phone_of(simulator, password="wrong")
    for _ in range(7):  # the fifth would lock it
        with pytest.raises(LoginRefused, match="wrong"):
            await phone.wipe()
    assert simulator.wrong == 1
    assert "wrong" in phone.refused
    phone.try_again()
    with pytest.raises(LoginRefused):
        await phone.wipe()
    assert simulator.wrong == 2
    await phone.close()


@pytest.mark.asyncio
async def test_a_phone_that_locked_itself_says_so():
    clock = [100.0]
    simulator = PhoneSimulator(now=lambda: clock[0])
    await simulator.start()
    for _ in range(5):
        with pytest.raises(LoginRefused):
            await phone_of(simulator, password="guessed").wipe()
    phone = phone_of(simulator)
    with pytest.raises(LoginRefused, match="locked itself"):
        await phone.wipe()
    clock[0] += LOCKED_S + 1
    phone.try_again()
    assert await phone.wipe() == 0
    await phone.close()
    await simulator.stop()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("ignored", "deed"),
    [
        ("delete", lambda phone: phone.wipe()),
        ("save", lambda phone: phone.write_directory(HOTEL)),
        ("group", lambda phone: phone.write_directory(HOTEL)),
        ("put", lambda phone: phone.set_language("de")),
    ],
)
async def test_what_it_says_it_did_and_did_not_is_seen(simulator, ignored, deed):
    simulator.type_in("somebody", "5551")
    simulator.ignores.add(ignored)
    phone = phone_of(simulator)
    with pytest.raises(PhoneOdd, match="it says that it has"):
        await deed(phone)
    await phone.close()


@pytest.mark.asyncio
async def test_what_is_no_phone_or_is_off_says_what_to_look_at(simulator):
    simulator.trouble = "html"
    phone = phone_of(simulator)
    with pytest.raises(PhoneOdd, match="the address of the phone"):
        await phone.wipe()
    simulator.trouble = "hang"
    hanging = phone_of(simulator, timeout_s=0.3)
    with pytest.raises(PhoneAway, match="no answer in time"):
        await hanging.wipe()
    simulator.trouble = ""
    assert await phone.wipe() == 0  # the router is a phone again
    await simulator.stop()
    with pytest.raises(PhoneAway, match="is it on"):
        await phone_of(simulator).wipe()
    await phone.close()


@pytest.mark.asyncio
async def test_one_that_was_swapped_for_another_model_is_known_again():
    old = PhoneSimulator(generation="manager")
    await old.start()
    phone = phone_of(old)
    await phone.wipe()
    await old.stop()
    new = PhoneSimulator(generation="cgi-bin")
    await new.start(old.port)
    new.type_in("left by nobody", "1")
    assert await phone.wipe() == 1
    assert phone.api == "cgi-bin"
    await phone.close()
    await new.stop()


@pytest.mark.asyncio
async def test_one_request_at_a_time():
    simulator = PhoneSimulator()
    await simulator.start()
    phone = phone_of(simulator)
    await asyncio.gather(*(phone.write_directory(HOTEL) for _ in range(4)))
    assert sorted(simulator.names("Hotel")) == ["Reception", "Room service"]
    await phone.close()
    await simulator.stop()
