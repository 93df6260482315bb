"""An ideal PBX for tests of house and plan: whatever the plan calls for is done at once."""

from gateway.drivers.calls import (
    CheckIn,
    CheckOut,
    DoNotDisturb,
    Move,
    RoomStatus,
    Update,
    WakeUp,
)
from gateway.drivers.ucm.requests import Words, guest_tags
from gateway.house import States
from gateway.pipeline.plan import OUT, Hotel, done, next_call

WORDS = Words(
    class_of_service={"0": 1, "1": 2, "2": 3, "3": 4}, room_status={str(n): n for n in range(1, 7)}
)


def tags_of(want):
    return guest_tags(want.guest, want.stay, WORDS)


class Pbx:
    """The actual states of all rooms. `has_list`: it says of every room that it is out at first."""

    def __init__(self, *, has_list=True):
        self.actual = States()
        self.has_list = has_list

    def follow(self, house, rooms, wall):
        """All calls that these rooms need now, in the order of the plan; each is done."""
        desired = States((number, room.desired()) for number, room in house.rooms.items())
        calls = []
        if self.has_list:
            for room in desired.keys() - self.actual.keys():
                self.actual[room] = OUT
        for room in sorted(rooms):
            while True:
                hotel = Hotel(desired, self.actual, tags_of, wall)
                call = next_call(hotel, room)
                if call is None:
                    break
                self.actual.update(done(hotel, call))
                if isinstance(call, Update):  # whose name it shows then
                    call = Update(room=call.room, tags=self.actual[call.room].tags)
                calls.append(call)
                assert len(calls) < 1000, "the plan does not come to rest"
        return calls


def word(call):
    match call:
        case CheckIn(room=room, tags=tags):
            return f"in {room} {tags['lastname']}"
        case CheckOut(room=room):
            return f"out {room}"
        case Update(room=room, tags=tags):
            return f"update {room} {tags['lastname']}"
        case Move(room=room, from_room=old):
            return f"move {old}>{room}"
        case DoNotDisturb(room=room, on=on):
            return f"dnd {room} {on}"
        case RoomStatus(room=room, code=code):
            return f"status {room} {code}"
        case WakeUp(room=room, at=at):
            return f"wake {room} {at:%m%d-%H%M}" if at else f"wake {room} none"
