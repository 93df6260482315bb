"""The mailboxes of all phones: nobody hears what was left for somebody with whom he never shared a
stay, and whoever is still in keeps his messages.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.house import Actual, Desired
from gateway.pipeline.outbox import Outbox
from gateway.simulators.pbx import UcmRoom
from gateway.simulators.ucm import Call
from tests.torture.meaning import Meaning, Stay


@dataclass(frozen=True, slots=True)
class Seen:
    """What the gateway knew at some moment: the states of all rooms, and those it leaves alone."""

    desired: Mapping[str, Desired]
    actual: Mapping[str, Actual]
    parked: frozenset[str]

    def room_of(self, stay: int) -> str | None:
        """Where this stay should be; None: it is over."""
        return next((room for room, want in self.desired.items() if want.stay == stay), None)

    def has_free_room(self) -> bool:
        """A circle of moves has a room to pass through."""
        return any(
            want.is_heard
            and want.stay is None
            and room not in self.parked
            and room in self.actual
            and self.actual[room].stay is None
            for room, want in self.desired.items()
        )


@dataclass(slots=True, eq=False)
class Message:
    """Somebody spoke to a mailbox.

    account     who lived there, by the UCM's word
    stay        the gateway's number of the stay whose mailbox it is; None: it did not say
    meant       the stay by the PMS's word; None: the UCM had not been told everything
    is_excused  it may be lost: the move of its guest was refused, or had no room to pass through
    """

    account: str
    stay: int | None
    meant: Stay | None = None
    is_excused: bool = False


@dataclass(slots=True)
class Mailboxes:
    """All messages that were ever left. `wrong`: broken promises, in words."""

    rooms: Mapping[str, UcmRoom]
    meaning: Meaning
    wrong: list[str] = field(default_factory=list)
    left: int = 0
    lost: int = 0
    excused: int = 0
    is_exact: bool = True
    _mates: dict[int, set[str]] = field(default_factory=dict)
    _outbox: Outbox | None = None
    _where: dict[Message, str] = field(default_factory=dict)
    _meant: list[Message] = field(default_factory=list)

    def follow(self, outbox: Outbox) -> None:
        """A gateway was switched on."""
        self._outbox = outbox

    def leave(self, phone: str, meant: Stay | None = None) -> None:
        """Somebody speaks to the mailbox of this phone."""
        room = self.rooms[phone]
        if not room.is_in or not room.account or self._outbox is None:
            return
        have = self._outbox.actual.get(phone)
        self._note_mates()
        is_known = have is not None and room.account in self._mates.get(have.stay or 0, ())
        message = Message(room.account, have.stay if is_known and have else None, meant)
        room.messages = (*(room.messages or ()), message)  # type: ignore[assignment]  # as the simulator hands it on
        self._where[message] = phone
        self.left += 1

    def look(self, call: Call, seen: Seen) -> None:
        """The UCM has done something, or not: what became of the messages?"""
        self._note_mates()
        self._judge_refusal(call, seen)
        where = {
            message: phone
            for phone, room in self.rooms.items()
            for message in (room.messages or ())  # type: ignore[attr-defined]  # see `leave`
        }
        for message, phone in self._where.items():
            if message not in where:
                self._judge_loss(message, phone, call, seen)
        self._where = where
        for message, phone in where.items():
            self._judge_hearer(message, phone)

    def _judge_refusal(self, call: Call, seen: Seen) -> None:
        """A move that is refused becomes a check-out and a check-in."""
        if call.action == "mov" and not call.applied:
            for message, phone in self._where.items():
                # What is below 0 is tried again.
                message.is_excused |= phone == call.room and (call.code or 0) > 0

    def _judge_loss(self, message: Message, phone: str, call: Call, seen: Seen) -> None:
        self.lost += 1
        if message.stay is None:
            message.is_excused = True  # whose mailbox it was nobody can say
            return
        to = seen.room_of(message.stay)
        if message.is_excused or to is None:
            self.excused += message.is_excused
            return
        if to in seen.parked or not seen.has_free_room():
            message.is_excused = True
            self.excused += 1
            return
        self.wrong.append(
            f"{call.action} of {phone} took the messages of stay {message.stay}, who is in {to}"
        )

    def _judge_hearer(self, message: Message, phone: str) -> None:
        room = self.rooms[phone]
        if not room.is_in or not room.account:
            return
        if self.meaning.are_mates(message.account, room.account):
            return
        mates = any({message.account, room.account} <= each for each in self._mates.values())
        if not mates or self.is_exact:
            self.wrong.append(
                f"{phone}: {room.account} hears a message for {message.account}"
                f" (stay {message.stay})"
            )

    def in_calm_weather(self) -> list[str]:
        """Everything is told: each message that was left in the last calm weather, for a stay that
        goes on, must be where that stay is. Returns what is not; then new ones are left."""
        found = []
        for message in self._meant:
            phone = self.meaning.phone_of(message.meant) if message.meant is not None else None
            if phone is None or message.is_excused or not message.meant.is_sure:  # type: ignore[union-attr]  # it has a phone
                continue
            if self._where.get(message) != phone:
                found.append(
                    f"a message of {phone} is {self._where.get(message) or 'lost'}"
                    f" (account {message.account}, stay {message.stay})"
                )
        self._meant.clear()
        for phone, stay in self.meaning.stays.items():
            if stay is not None:
                self.leave(phone, stay)
        self._meant += [each for each in self._where if each.meant is not None]
        return found

    def _note_mates(self) -> None:
        assert self._outbox is not None
        for want in self._outbox.desired.values():
            if want.stay is not None:
                mates = self._mates.setdefault(want.stay, set())
                mates.update(
                    self._outbox.tags_of(guest, want.stay)["account"] for guest in want.residents
                )
