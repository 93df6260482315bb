"""What the records say: rooms, guests, dates, names, resyncs."""

from gateway.scope.explain.marks import Mark
from gateway.scope.explain.sight import Sight, Told
from gateway.scope.explain.table import fault
from gateway.scope.explain.values import Confidence, Layer


@fault("names-are-utf8", Layer.RECORDS, "Names hold UTF-8, and another code page is set.")
def _names_are_utf8(sight: Sight) -> Told | None:
    if (
        sight[Mark.NAME_UTF8] < 2
        or sight[Mark.NAME_UTF8] <= sight[Mark.NAME_DOS] + sight[Mark.NAME_WINDOWS]
    ):
        return None
    return Told(
        "Names come in UTF-8 and are read as something else: two odd characters for each accent.",
        'Set encoding = "utf-8" under [fias].',
        (Mark.NAME_UTF8,),
    )


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


@fault("guest-without-room", Layer.RECORDS, "GI, GO or GC come without RN.")
def _guest_without_room(sight: Sight) -> Told | None:
    if sight[Mark.NO_ROOM] < 2:
        return None
    return Told(
        "Records of guests come without a room (RN) and have no effect.",
        "Ask for RN in GI, GO and GC in the PMS's set-up of this interface.",
        (Mark.NO_ROOM,),
    )


@fault("guest-without-number", Layer.RECORDS, "GI never has a reservation number.")
def _guest_without_number(sight: Sight) -> Told | None:
    if sight[Mark.NO_NUMBER] < 3 or sight[Mark.NUMBERED]:
        return None
    return Told(
        "No check-in has a reservation number (G#): guests who share a room cannot be told apart.",
        "Ask for G# in GI, GO and GC in the PMS's set-up; without sharers it works as it is.",
        (Mark.NO_NUMBER,),
        Confidence.POSSIBLE,
    )


@fault("unknown-records", Layer.RECORDS, "Records come whose ids FIAS does not have.")
def _unknown_records(sight: Sight) -> Told | None:
    if sight[Mark.UNKNOWN_RECORD] < 3:
        return None
    return Told(
        "Several records have ids that FIAS does not know; they have no effect.",
        "Ask which dialect the PMS speaks, and for plain FIAS on this interface.",
        (Mark.UNKNOWN_RECORD,),
    )


@fault("unknown-fields", Layer.RECORDS, "Many fields have ids that FIAS does not have.")
def _unknown_fields(sight: Sight) -> Told | None:
    if sight[Mark.UNKNOWN_FIELD] < 5:
        return None
    return Told(
        "Many fields have ids that FIAS does not know; they are kept aside. A text with a bar in "
        "it looks like this too.",
        "Look at the fields in the evidence; ask the PMS to keep the bar out of names and texts.",
        (Mark.UNKNOWN_FIELD,),
        Confidence.POSSIBLE,
    )


@fault("unreadable-dates", Layer.RECORDS, "Dates or times are not YYMMDD and HHMMSS.")
def _unreadable_dates(sight: Sight) -> Told | None:
    if sight[Mark.UNREADABLE_DATE] < 2:
        return None
    return Told(
        "Dates or times come in another form than YYMMDD and HHMMSS: wake-ups with them are "
        "refused, departures are not known.",
        "Set the date and time formats of this interface in the PMS.",
        (Mark.UNREADABLE_DATE,),
    )


@fault("unreadable-records", Layer.RECORDS, "Whole frames hold no record.")
def _unreadable_records(sight: Sight) -> Told | None:
    if sight[Mark.NO_RECORD] < 3:
        return None
    return Told(
        "Whole, undamaged frames hold no record: no two letters with a bar behind them.",
        "Check that the interface of the PMS is set to FIAS and not to another protocol.",
        (Mark.NO_RECORD,),
    )


@fault("resync-without-end", Layer.RECORDS, "A resync begins with DS and its DE never comes.")
def _resync_without_end(sight: Sight) -> Told | None:
    if not sight[Mark.RESYNC_UNENDED]:
        return None
    return Told(
        "The PMS began a resync (DS) and did not end it (DE): who has left in between is not "
        "swept.",
        "Run `pms-gateway resync` once the link is quiet; if it happens again, read the PMS's "
        "interface log.",
        (Mark.RESYNC_UNENDED, Mark.RESYNC_ASKED),
    )


@fault("resync-ignored", Layer.RECORDS, "We ask for a resync (DR) and no DS comes.")
def _resync_ignored(sight: Sight) -> Told | None:
    if not sight[Mark.RESYNC_IGNORED]:
        return None
    return Told(
        "We asked for a resync (DR) and the PMS did not begin one; some ignore what they think "
        "needless.",
        "Start it from the PMS (database swap), or ask for it to be allowed for this interface.",
        (Mark.RESYNC_IGNORED, Mark.RESYNC_ASKED),
        Confidence.LIKELY,
    )


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
