"""The link: bytes and answers are right, and still the two do not come together."""

from gateway.scope.explain.marks import Mark
from gateway.scope.explain.sight import Sight, Told
from gateway.scope.explain.table import fault
from gateway.scope.explain.values import Confidence, Layer

LEFT_S = 45.0
"""After its LE a PMS starts again within seconds."""

NO_GUESTS_S = 8 * 3600.0
"""No hotel is so quiet for so long, from the start of a link on."""


@fault(
    "wrong-role", Layer.LINK, "The other side describes itself with LD and LR, as only we do.",
    blocks=True, hides=("start-storm", "calls-unanswered"),
)  # fmt: skip
def _wrong_role(sight: Sight) -> Told | None:
    if sight[Mark.PMS_DESCRIPTION] < 2:
        return None
    return Told(
        "The other side speaks as a phone system does (LD, LR): it is another gateway or PBX, not "
        "a PMS.",
        "Connect the line to the PMS's port; check host and port in pms.line.",
        (Mark.PMS_DESCRIPTION,),
    )


@fault(
    "start-storm", Layer.LINK, "Both sides say LS again and again and nobody describes itself.",
    blocks=True, hides=("calls-unanswered",),
)  # fmt: skip
def _start_storm(sight: Sight) -> Told | None:
    if sight[Mark.STARTED] < 3 or sight[Mark.OUR_LS] < 3:
        return None
    return Told(
        "Both sides say LS again and again and neither describes itself: each waits for the other.",
        "Restart the side of the phone system: it must answer LS with LD, LR and LA; check that "
        "the PMS reads what we send.",
        (Mark.PMS_LS, Mark.OUR_LS),
    )


@fault(
    "description-not-accepted", Layer.LINK, "We describe ourselves, and the PMS never says LA.",
    hides=("early-data", "link-restarts"),
)  # fmt: skip
def _description_not_accepted(sight: Sight) -> Told | None:
    if sight[Mark.NOT_ACCEPTED] < 2:
        return None
    return Told(
        "The PMS starts the link and gets our description (LD, LR, LA), but never says LA itself.",
        "Ask for the interface type PB (telephone) and our records in the PMS's set-up; raise "
        "record_pacing_ms under [fias] if it is slow.",
        (Mark.NOT_ACCEPTED, Mark.PMS_LS),
    )


@fault(
    "link-restarts", Layer.LINK, "The link comes up, and soon the PMS says LS again, many times.",
)  # fmt: skip
def _link_restarts(sight: Sight) -> Told | None:
    if sight[Mark.PMS_LS] < 5 or sight[Mark.PMS_LA] < 2:
        return None
    return Told(
        "The PMS accepts the link and soon starts it anew, again and again: its interface "
        "restarts, or it misses something from us.",
        "Read the PMS's interface log at these moments; look for lost answers below.",
        (Mark.PMS_LS,),
        Confidence.LIKELY,
    )


@fault(
    "calls-unanswered", Layer.LINK, "The PMS hears our LS and answers neither LS nor LA.",
)  # fmt: skip
def _calls_unanswered(sight: Sight) -> Told | None:
    if sight.link.calls < 3 or sight.link.ended_at is not None:
        return None
    return Told(
        "The PMS hears us, but our LS gets neither LS nor LA: its interface is not started.",
        "Start the interface in the PMS (its program may run while the interface is off).",
        (Mark.OUR_LS,),
        Confidence.LIKELY,
    )


@fault("alive-loop", Layer.LINK, "LA follows LA within seconds, on and on.")
def _alive_loop(sight: Sight) -> Told | None:
    if sight[Mark.LA_LOOP] < 5:
        return None
    return Told(
        "The PMS says LA every few seconds: each side takes the other's LA for a question.",
        "Nothing is lost. Ask for a longer alive interval at the PMS, and for no LA in answer "
        "to LA.",
        (Mark.LA_LOOP,),
    )


@fault("alive-check-unanswered", Layer.LINK, "A link that was up does not answer our LS.")
def _alive_check_unanswered(sight: Sight) -> Told | None:
    if not sight[Mark.CHECK_UNANSWERED] or sight.link.up_since is not None:
        return None
    return Told(
        "The link was up, went quiet, and our alive check (LS) got no answer: the PMS or the "
        "way to it is gone.",
        "See whether the PMS's interface runs; over TCP look for a firewall that forgets quiet "
        "connections.",
        (Mark.CHECK_UNANSWERED, Mark.OUR_LS),
    )


@fault(
    "early-data", Layer.LINK, "Records of guests come although the link is not up.",
    hides=("calls-unanswered",),
)  # fmt: skip
def _early_data(sight: Sight) -> Told | None:
    if sight[Mark.EARLY_DATA] < 3 or sight.link.up_since is not None or sight.link.ended_at:
        return None
    return Told(
        "Guest records come although the link was never completed with LS and LA.",
        "Restart the interface in the PMS, so that it says LS; until then it uses default records "
        "and ignores ours.",
        (Mark.EARLY_DATA,),
        Confidence.LIKELY,
    )


@fault("pms-left", Layer.LINK, "The PMS said LE and has not started again.")
def _pms_left(sight: Sight) -> Told | None:
    ended_at = sight.link.ended_at
    if ended_at is None or sight.now - ended_at < LEFT_S:
        return None
    return Told(
        "The PMS ended the link (LE) and has not started it again: somebody stopped its interface.",
        "Start the interface in the PMS.",
        (Mark.PMS_LE,),
    )


@fault("no-guest-records", Layer.LINK, "The link is up for hours and no GI, GO or GC has come.")
def _no_guest_records(sight: Sight) -> Told | None:
    link = sight.link
    if link.up_since is None or link.has_guests or sight.now - link.up_since < NO_GUESTS_S:
        return None
    return Told(
        "The link has been up for hours and no check-in, check-out or change came: the PMS does "
        "not send those records to this interface.",
        "Ask for GI, GO and GC to be switched on for this interface in the PMS, then run "
        "`pms-gateway resync`.",
        (Mark.PMS_LA,),
        Confidence.POSSIBLE,
    )
