"""Every dialect has all that the gateway asks of one, and says what it claims to be able to."""

from datetime import datetime

import pytest

from gateway.back.kinds import KINDS
from protocols.dialects import DIALECTS, LinkSettings
from protocols.errors import CannotBeSaid
from protocols.postings import (
    ArticlesTaken,
    CallCharge,
    Ending,
    MessagesWaiting,
    RoomStatusKeyed,
    WakeUpEnded,
    WakeUpKeyed,
)

AT = datetime(2026, 3, 14, 10, 0)
SAID = {
    CallCharge: CallCharge(room="101", at=AT, digits="00331", duration_s=61, amount=250),
    ArticlesTaken: ArticlesTaken(room="101", at=AT, articles=((1, 2),)),
    RoomStatusKeyed: RoomStatusKeyed(room="101", status="3"),
    MessagesWaiting: MessagesWaiting(room="101", unread=1, read=0),
    WakeUpEnded: WakeUpEnded(room="101", at=AT, ending=Ending.BUSY),
    WakeUpKeyed: WakeUpKeyed(room="101", at=AT, is_wanted=True),
}
EACH = pytest.mark.parametrize("name", DIALECTS)


@EACH
@pytest.mark.parametrize("kind", KINDS)
def test_it_has_a_record_for_what_it_can_say_and_for_nothing_else(name, kind):
    dialect, row = DIALECTS[name], KINDS[kind]
    posting = SAID[row.said]
    if row.word in dialect.can_say:
        assert dialect.record_of(posting, 17).record_id
    else:
        with pytest.raises(CannotBeSaid, match="no_word"):
            dialect.record_of(posting, 17)


@EACH
def test_its_link_begins_closed_and_opens(name):
    site = LinkSettings(
        charset="cp1252", lrc=False, ack=True, is_serial=False, pacing_s=0.0, driver_version="1",
        says=DIALECTS[name].can_say, outlet=False,
    )  # fmt: skip
    session = DIALECTS[name].session(site, lambda: AT)
    assert (session.is_up, session.state) == (False, "closed")
    session.opened(0.0)
    assert session.state == ("up" if name in ("hobic", "smdr") else "waiting")  # nobody to be heard


@EACH
def test_it_knows_what_a_maid_keys_if_it_can_be_told(name):
    codes = DIALECTS[name].maid_codes
    if "room_status" not in DIALECTS[name].can_say:
        assert codes == {}
        return
    assert codes.keys() == set("123456")
    assert all(len(pair) == 2 for pair in codes.values())


def test_a_name_is_masked_in_each():
    assert b"Rossi" not in DIALECTS["fias"].mask(b"GI|RN101|GNRossi|")
    assert b"Rossi" not in DIALECTS["mitel"].mask(b"NAM1 Rossi                  101")
