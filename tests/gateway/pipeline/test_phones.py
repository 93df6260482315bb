"""The phones of a house over real HTTP: who is off, refuses, lies or locks itself holds up nobody."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from gateway import logs
from gateway.clock import Clock
from gateway.drivers.gxv import Entry, Identity, Phone, PhoneAway
from gateway.house.states import Desired, Guest
from gateway.metrics import Metrics
from gateway.pipeline.outbox import Outbox
from gateway.pipeline.phone_step import Wishes
from gateway.pipeline.phones import AT_ONCE, FOR_THOSE_AWAY, Pace, Phones
from gateway.simulators.phone import PhoneSimulator
from gateway.store import Store, StoreWorker

logs.set_up(quiet=True)
HOTEL = (Entry("Reception", "0"), Entry("Room service", "77"))
EMPTY = Desired(is_heard=True)


QUICK = Pace(look=0.02, first_pause=0.05, longest_pause=0.2)


class Hotel:
    """Rooms with phones, as the house means them."""

    def __init__(self, folder, rooms):
        self.simulators = {room: PhoneSimulator(number=room) for room in rooms}
        self.clock = Clock(ZoneInfo("UTC"))
        self.metrics = Metrics(version="1", site="x")
        self.store = StoreWorker(Store(folder / "outbox.db"))
        self.outbox = Outbox(tags_of=lambda _: {}, wall=self.clock.stamp, longest_pause_s=1)
        self.stays = 0

    def say(self, room, **what):
        self.outbox.desired[room] = replace(self.outbox.desired.get(room, EMPTY), **what)

    def check_in(self, room, language=""):
        self.stays += 1
        came = self.clock.stamp()
        guest = Guest(key=str(self.stays), name="x", language=language, came=came)
        self.say(room, stay=self.stays, guest=guest)

    def check_out(self, room):
        before = self.outbox.desired[room]
        self.say(room, stay=None, guest=None, departures=before.departures + 1)

    def phones(self, **how):
        wishes = Wishes(version="v1", language_of=lambda guest: guest.language)
        how = {"directory": HOTEL, "wishes": wishes, **how}
        return Phones(
            phones={
                room: (each.address, Phone(each.address, each.username, each.password, timeout_s=1))
                for room, each in self.simulators.items()
            },
            outbox=self.outbox, store=self.store, clock=self.clock, metrics=self.metrics,
            **{"pace": QUICK, **how},
        )  # fmt: skip

    @asynccontextmanager
    async def open(self, **how):
        for each in self.simulators.values():
            await each.start()
        async with self.looked_after(**how) as phones:
            yield phones
        for each in self.simulators.values():
            await each.stop()
        self.store.close()

    @asynccontextmanager
    async def looked_after(self, **how):
        phones = self.phones(**how)
        self.running = asyncio.create_task(phones.run())
        try:
            yield phones
        finally:
            self.running.cancel()
            await asyncio.wait({self.running})
            await phones.close()

    @asynccontextmanager
    async def restarted(self, old):
        """The service has ended in whatever it did, and another one begins."""
        self.running.cancel()
        await asyncio.wait({self.running})
        await old.close()
        async with self.looked_after() as phones:
            yield phones


async def until(condition, within_s=10):
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.01)


def view(phones, room):
    return next(each for each in phones.views() if each.room == room)


@pytest.mark.asyncio
async def test_contacts_go_with_the_guest_and_the_next_one_finds_the_hotels_numbers(tmp_path):
    hotel = Hotel(tmp_path, ["101"])
    phone = hotel.simulators["101"]
    async with hotel.open() as phones:
        hotel.say("101")
        await until(lambda: view(phones, "101").is_registered)
        hotel.check_in("101", language="fr")
        await until(lambda: len(phone.names("Hotel")) == 2 and phone.values["1362"] == "fr")
        phone.type_in("a friend", "5551")
        hotel.check_out("101")
        await until(lambda: not phone.contacts)
        hotel.check_in("101", language="de")
        await until(lambda: len(phone.names("Hotel")) == 2 and phone.values["1362"] == "de")
        await until(lambda: view(phones, "101").step == "")
        await until(lambda: 'pmsgw_phones{state="behind"} 0.0' in hotel.metrics.expose().decode())
        assert 'pmsgw_phones{state="registered"} 1.0' in hotel.metrics.expose().decode()


@pytest.mark.asyncio
async def test_one_that_is_off_waits_for_as_long_as_it_takes_and_a_restart_forgets_nothing(
    tmp_path,
):
    hotel = Hotel(tmp_path, ["101", "102"])
    phone = hotel.simulators["101"]
    async with hotel.open() as phones:
        hotel.check_in("101")
        hotel.check_in("102")
        await until(lambda: all(len(s.names("Hotel")) == 2 for s in hotel.simulators.values()))
        phone.type_in("a friend", "5551")
        await phone.stop()
        hotel.check_out("101")
        await until(lambda: "is it on" in view(phones, "101").trouble)
        assert view(phones, "101").step == "delete contacts"
        hotel.check_out("102")  # nobody waits for it
        await until(lambda: not hotel.simulators["102"].contacts)
        async with hotel.restarted(phones) as anew:
            hotel.check_in("101")
            await until(lambda: view(anew, "101").trouble)
            phone.asked.clear()
            await phone.start()
            await until(lambda: phone.asked.count("save") == 2)
            assert phone.names("default") == []
            assert phone.asked.index("delete") < phone.asked.index("save")


@pytest.mark.asyncio
async def test_a_wrong_password_is_tried_once_until_somebody_says_so(tmp_path):
    hotel = Hotel(tmp_path, ["101"])
    phone = hotel.simulators["101"]
    async with hotel.open() as phones:
        await until(lambda: view(phones, "101").is_registered)
        phone.restart()
        phone.password = "changed by somebody"
        hotel.check_in("101")
        await until(lambda: "phones retry" in view(phones, "101").trouble)
        await asyncio.sleep(0.5)
        assert phone.wrong == 1
        phone.password = "phone-invented"
        phones.retry("101")
        await until(lambda: len(phone.names("Hotel")) == 2)


@pytest.mark.asyncio
async def test_one_that_only_says_so_is_behind_and_said(tmp_path):
    hotel = Hotel(tmp_path, ["101"])
    phone = hotel.simulators["101"]
    async with hotel.open() as phones:
        hotel.check_in("101")
        await until(lambda: len(phone.names("Hotel")) == 2)
        phone.type_in("a friend", "5551")
        phone.ignores.add("delete")
        hotel.check_out("101")
        await until(lambda: "has deleted" in view(phones, "101").trouble)
        hotel.check_in("101", language="de")
        await asyncio.sleep(0.3)
        assert phone.values["1362"] == "en"  # nothing of the new stay beside contacts of the old
        phone.ignores.clear()
        await until(lambda: phone.values["1362"] == "de" and len(phone.contacts) == 2)


@pytest.mark.asyncio
async def test_what_is_to_be_deleted_does_not_wait_for_the_pause_of_another_step(tmp_path):
    hotel = Hotel(tmp_path, ["101"])
    phone = hotel.simulators["101"]
    async with hotel.open(pace=Pace(look=0.02, first_pause=600)) as phones:
        hotel.say("101")
        await until(lambda: view(phones, "101").is_registered)
        phone.ignores.add("save")
        phone.type_in("a friend", "5551")
        hotel.check_in("101")
        await until(lambda: "has others" in view(phones, "101").trouble)
        hotel.check_out("101")
        await until(lambda: not phone.contacts)
        hotel.check_in("101")
        assert "has others" not in view(phones, "101").trouble


@pytest.mark.asyncio
async def test_one_that_was_off_before_the_guest_came_is_behind_since_then_and_says_why(tmp_path):
    hotel = Hotel(tmp_path, ["101"])
    phone = hotel.simulators["101"]
    async with hotel.open(pace=Pace(look=0.02, first_pause=600)) as phones:
        await phone.stop()
        phones.retry("101")
        await until(lambda: view(phones, "101").is_there is False)
        assert view(phones, "101").since is None
        hotel.check_in("101")
        await until(lambda: view(phones, "101").since)
        told = view(phones, "101")
        assert (told.state, told.step) == ("behind", "write the hotel's numbers")
        assert "is it on" in told.trouble
        await phone.start()


@pytest.mark.asyncio
async def test_a_fault_of_ours_with_one_phone_is_told_and_ends_nothing_else(tmp_path):
    hotel = Hotel(tmp_path, ["101", "102"])

    class Broken:
        api = refused = ""

        async def accounts(self):
            raise OverflowError("port must be 0-65535")

        async def close(self):
            pass

    async with hotel.open() as phones:
        phones._known["101"].phone = Broken()
        hotel.check_in("102")
        await until(lambda: len(hotel.simulators["102"].names("Hotel")) == 2)
        await until(lambda: "OverflowError" in view(phones, "101").trouble)


@pytest.mark.asyncio
async def test_four_at_once_at_the_most(tmp_path):
    hotel = Hotel(tmp_path, [str(101 + number) for number in range(12)])
    most, now = 0, 0

    class Slow:
        api = refused = ""

        async def accounts(self):
            nonlocal most, now
            now += 1
            most = max(most, now)
            await asyncio.sleep(0.05)
            now -= 1
            return []

        async def identity(self):
            return Identity()

        async def close(self):
            pass

    phones = hotel.phones()
    for known in phones._known.values():
        known.phone = Slow()
    running = asyncio.create_task(phones.run())
    await until(lambda: all(each.is_there for each in phones.views()))
    running.cancel()
    await asyncio.wait({running})
    hotel.store.close()
    assert most == AT_ONCE


@pytest.mark.asyncio
async def test_those_that_are_off_take_no_turn_of_one_that_is_there(tmp_path):
    """After a power cut three hundred may be off, each of which costs a time-out."""
    hotel = Hotel(tmp_path, ["101", *(str(201 + number) for number in range(12))])
    answers, hanging = asyncio.Event(), set()
    answers.set()

    class Off:
        api = refused = ""

        async def accounts(self):
            hanging.add(self)
            try:
                await answers.wait()
            finally:
                hanging.discard(self)
            raise PhoneAway("no answer in time")

        async def close(self):
            pass

    async with hotel.open() as phones:
        for room in hotel.simulators.keys() - {"101"}:
            phones._known[room].phone = Off()
        hotel.check_in("101")
        await until(lambda: len(hotel.simulators["101"].names("Hotel")) == 2)
        await until(lambda: sum(each.is_there is False for each in phones.views()) == 12)
        answers.clear()
        await until(lambda: len(hanging) == FOR_THOSE_AWAY)
        hotel.check_out("101")
        await until(lambda: not hotel.simulators["101"].contacts)
        assert len(hanging) == FOR_THOSE_AWAY


@pytest.mark.asyncio
async def test_an_operator_wipes_and_restarts_one(tmp_path):
    hotel = Hotel(tmp_path, ["101"])
    phone = hotel.simulators["101"]
    async with hotel.open() as phones:
        hotel.check_in("101")
        await until(lambda: len(phone.names("Hotel")) == 2)
        phone.type_in("a friend", "5551")
        assert await phones.wipe("101") == 3
        await until(lambda: len(phone.names("Hotel")) == 2)  # the hotel's own come back
        assert phone.names("default") == []
        await phones.reboot("101")
        assert "reboot" in phone.asked
        with pytest.raises(KeyError):
            await phones.wipe("999")


@pytest.mark.asyncio
async def test_the_hotels_numbers_come_back_also_when_it_is_wiped_in_the_middle_of_a_step(tmp_path):
    hotel = Hotel(tmp_path, ["101"])
    phone = hotel.simulators["101"]
    async with hotel.open() as phones:
        real = phones._known["101"].phone.set_language

        async def slow(language):
            await real(language)
            await phones.wipe("101")  # an operator, before the step is noted down

        phones._known["101"].phone.set_language = slow
        hotel.check_in("101", language="de")
        await until(lambda: phone.values["1362"] == "de" and not view(phones, "101").step)
        assert len(phone.names("Hotel")) == 2


@pytest.mark.asyncio
async def test_a_room_of_which_nobody_knows_who_is_in_is_left_alone(tmp_path):
    hotel = Hotel(tmp_path, ["101"])
    phone = hotel.simulators["101"]
    phone.type_in("somebody", "5551")
    async with hotel.open() as phones:
        await until(lambda: view(phones, "101").is_registered)
        assert view(phones, "101").step == ""
        assert len(phone.contacts) == 1
