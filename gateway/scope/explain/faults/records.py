"""What the records say: rooms, guests, dates, names, resyncs."""

from gateway.scope.explain.marks import Mark
from gateway.scope.explain.sight import Sight, Told
from gateway.scope.explain.table import fault, row
from gateway.scope.explain.values import Confidence, Layer, Speech

row(
    "names-are-utf8", Layer.RECORDS, "Names hold UTF-8, and another code page is set.",
    Mark.NAME_UTF8, at_least=2,
    when=lambda sight: sight[Mark.NAME_UTF8] > sight[Mark.NAME_DOS] + sight[Mark.NAME_WINDOWS],
    words="Names come in UTF-8 and are read as something else: two odd characters for each accent.",
    do='Set encoding = "utf-8" under [fias].',
)  # fmt: skip


@fault(
    "names-in-other-code-page", Layer.RECORDS, "Letters of names are none in the code page set.",
)  # fmt: skip
def _names_in_other_code_page(sight: Sight) -> Told | None:
    guess, mark = max(
        (("cp850", Mark.NAME_DOS), ("cp1252", Mark.NAME_WINDOWS)), key=lambda each: sight[each[1]]
    )
    if sight[mark] < 2 or sight[mark] <= sight[Mark.NAME_UTF8]:
        return None
    return Told(
        f"Names hold bytes that are no letters in {sight.profile.charset} and are in {guess}.",
        f'Set encoding = "{guess}" under [fias] and compare a name with an accent.',
        (mark,),
        Confidence.LIKELY,
    )


row(
    "guest-without-room", Layer.RECORDS, "GI, GO or GC come without RN.",
    Mark.NO_ROOM, at_least=2,
    words="Records of guests come without a room (RN) and have no effect.",
    do="Ask for RN in GI, GO and GC in the PMS's set-up of this interface.",
)  # fmt: skip

row(
    "guest-without-number", Layer.RECORDS, "GI never has a reservation number.",
    Mark.NO_NUMBER, at_least=3, confidence=Confidence.POSSIBLE,
    when=lambda sight: not sight[Mark.NUMBERED],
    words="No check-in has a reservation number (G#): guests who share a room cannot be told "
    "apart.",
    do="Ask for G# in GI, GO and GC in the PMS's set-up; without sharers it works as it is.",
)  # fmt: skip

row(
    "unknown-records", Layer.RECORDS, "Records come whose ids FIAS does not have.",
    Mark.UNKNOWN_RECORD, at_least=3,
    words="Several records have ids that FIAS does not know; they have no effect.",
    do="Ask which dialect the PMS speaks, and for plain FIAS on this interface.",
)  # fmt: skip

row(
    "unknown-fields", Layer.RECORDS, "Many fields have ids that FIAS does not have.",
    Mark.UNKNOWN_FIELD, at_least=5, confidence=Confidence.POSSIBLE,
    words="Many fields have ids that FIAS does not know; they are kept aside. A text with a bar "
    "in it looks like this too.",
    do="Look at the fields in the evidence; ask the PMS to keep the bar out of names and texts.",
)  # fmt: skip

row(
    "unreadable-dates", Layer.RECORDS, "Dates or times are not YYMMDD and HHMMSS.",
    Mark.UNREADABLE_DATE, at_least=2,
    words="Dates or times come in another form than YYMMDD and HHMMSS: wake-ups with them are "
    "refused, departures are not known.",
    do="Set the date and time formats of this interface in the PMS.",
)  # fmt: skip

row(
    "unreadable-records", Layer.RECORDS, "Whole frames hold no record.",
    Mark.NO_RECORD, at_least=3,
    words="Whole, undamaged frames hold no record: no two letters with a bar behind them.",
    do="Check that the interface of the PMS is set to FIAS and not to another protocol.",
)  # fmt: skip

row(
    "unknown-messages", Layer.RECORDS, "Whole messages are none that this link knows.",
    Mark.NO_RECORD, at_least=3, speech=Speech.TURNS,
    words="Whole, undamaged messages are none that this link knows, or stand in other columns: "
    "they are refused (NAK) and kept.",
    do="Check which protocol the PMS's interface is set to, and whether it puts the room first; "
    "the evidence says what each message lacks.",
)  # fmt: skip

row(
    "resync-without-end", Layer.RECORDS, "A resync begins with DS and its DE never comes.",
    Mark.RESYNC_UNENDED, at_least=1, also=(Mark.RESYNC_ASKED,),
    words="The PMS began a resync (DS) and did not end it (DE): who has left in between is not "
    "swept.",
    do="Run `pms-gateway resync` once the link is quiet; if it happens again, read the PMS's "
    "interface log.",
)  # fmt: skip

row(
    "resync-ignored", Layer.RECORDS, "We ask for a resync (DR) and no DS comes.",
    Mark.RESYNC_IGNORED, at_least=1, also=(Mark.RESYNC_ASKED,), confidence=Confidence.LIKELY,
    words="We asked for a resync (DR) and the PMS did not begin one; some ignore what they think "
    "needless.",
    do="Start it from the PMS (database swap), or ask for it to be allowed for this interface.",
)  # fmt: skip


@fault("pms-clock-off", Layer.RECORDS, "DA and TI of the PMS are minutes or hours from ours.")
def _pms_clock_off(sight: Sight) -> Told | None:
    off_s = sight.link.clock_off_s
    if not sight[Mark.CLOCK_OFF]:
        return None
    way = "ahead of" if off_s > 0 else "behind"
    hours = round(off_s / 3600)
    if hours and abs(hours) <= 14 and abs(off_s - hours * 3600) < 180:
        what = f"{abs(hours)} h {way} ours: most likely a time zone"
        do = (
            "Set timezone under [site] to the hotel's, or correct the PMS's; wake-ups depend on it."
        )
    else:
        what = f"{round(abs(off_s) / 60)} min {way} ours"
        do = "Set the clock of the PMS machine, and let both take their time from the network."
    return Told(f"The clock of the PMS is {what}.", do, (Mark.CLOCK_OFF,))
