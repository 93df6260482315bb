"""Whatever is off, lost, or repeated: nothing of a new stay on a phone that still has an old one's."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.pipeline.phone_step import (
    NEVER,
    Holds,
    PhoneStep,
    Wanted,
    after,
    first_seen,
    next_step,
    read_holds,
)

IN = Wanted(stay=5, departures=3, directory="v1", language="de")
OUT = Wanted(departures=4, directory="v1")


def steps(wanted, holds, *, wipes=True):
    """All that is done, one after the other."""
    found, holds = [], holds or first_seen(wanted)
    while (step := next_step(wanted, holds, wipes=wipes)) is not None:
        found.append(step)
        holds = after(step, wanted, holds)
        assert len(found) < 9
    return found, holds


@pytest.mark.parametrize(
    ("wanted", "holds", "expected"),
    [
        (OUT, Holds(3, directory="v1"), [PhoneStep.WIPE]),
        (OUT, Holds(4), []),
        (IN, Holds(3), [PhoneStep.DIRECTORY, PhoneStep.LANGUAGE]),
        (IN, Holds(2, directory="v1", language="de"),
         [PhoneStep.WIPE, PhoneStep.DIRECTORY, PhoneStep.LANGUAGE]),
        (IN, Holds(3, directory="v0", language="de"), [PhoneStep.DIRECTORY]),
        (OUT, None, [PhoneStep.WIPE]),
        (IN, None, [PhoneStep.DIRECTORY, PhoneStep.LANGUAGE]),  # who is in keeps what he has typed
    ],
)  # fmt: skip
def test_what_is_done_and_in_which_order(wanted, holds, expected):
    found, left = steps(wanted, holds)
    assert found == expected
    assert steps(wanted, left)[0] == []
    assert read_holds(left.as_json()) == left


def test_a_site_that_does_not_wipe_never_does():
    assert steps(OUT, None, wipes=False)[0] == []
    assert PhoneStep.WIPE not in steps(IN, Holds(2), wipes=False)[0]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"wiped_after": 1, "colour": 2}'])
def test_what_nobody_has_stored_is_no_state(text):
    with pytest.raises(ValueError):  # of two libraries, in their words
        read_holds(text)


@dataclass
class World:
    """A phone, its guests, and a gateway that may lose its memory of what it did last."""

    typed: set = field(default_factory=set)  # stays whose contacts are on the phone
    stay: int | None = None
    count: int = 0
    departures: int = 0
    stored: Holds | None = None

    def arrive(self):
        self.leave()
        self.count += 1
        self.stay = self.count

    def leave(self):
        self.departures += self.stay is not None
        self.stay = None

    def type_in(self):
        if self.stay is not None:
            self.typed.add(self.stay)

    def turn(self, outcome):
        """One turn of the gateway: done, lost on the way, or done and not stored."""
        wanted = Wanted(self.stay, self.departures, "v1", "de" if self.stay else "")
        self.stored = holds = self.stored or first_seen(wanted)
        step = next_step(wanted, holds)
        if step is None or outcome == "lost":
            return
        if step is PhoneStep.WIPE:
            self.typed.clear()
        else:
            assert self.typed <= {self.stay}, f"{step} with contacts of {self.typed}"
        if outcome == "done":
            self.stored = after(step, wanted, holds)


EVENT = st.one_of(
    st.sampled_from(["arrive", "leave", "type_in"]),
    st.tuples(st.just("turn"), st.sampled_from(["done", "lost", "not stored"])),
)


@given(st.lists(EVENT, max_size=60))
def test_nothing_is_written_beside_the_contacts_of_an_old_stay(events):
    world = World()
    world.turn("done")  # the phone is ours from its first, empty day
    assert world.stored != Holds(NEVER)
    for event in events:
        if isinstance(event, tuple):
            world.turn(event[1])
        else:
            getattr(world, event)()
    world.leave()
    world.turn("done")
    world.turn("done")
    assert world.typed == set()
    assert world.stored.wiped_after == world.departures
