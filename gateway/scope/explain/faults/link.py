"""The link: bytes and answers are right, but the link does not come up."""

from gateway.scope.explain.marks import Mark
from gateway.scope.explain.sight import Sight, Told
from gateway.scope.explain.table import fault, row
from gateway.scope.explain.values import Confidence, Layer

LEFT_S = 45.0
"""After its LE a PMS starts again within seconds."""

NO_GUESTS_S = 8 * 3600.0
"""No hotel is so quiet for so long, from the start of a link on."""


row(
    "wrong-role", Layer.LINK, "The other side describes itself with LD and LR, as only we do.",
    Mark.PMS_DESCRIPTION, at_least=2, blocks=True, hides=("start-storm", "calls-unanswered"),
    words="The other side speaks as a phone system does (LD, LR): it is another gateway or PBX, "
    "not a PMS.",
    do="Connect the line to the PMS's port; check host and port in pms.line.",
)  # fmt: skip

row(
    "start-storm", Layer.LINK, "Both sides say LS again and again and nobody describes itself.",
    Mark.PMS_LS, also=(Mark.OUR_LS,), blocks=True, hides=("calls-unanswered",),
    when=lambda sight: sight[Mark.STARTED] >= 3 and sight[Mark.OUR_LS] >= 3,
    words="Both sides say LS again and again and neither describes itself: each waits for the "
    "other.",
    do="Restart the side of the phone system: it must answer LS with LD, LR and LA; check that "
    "the PMS reads what we send.",
)  # fmt: skip

row(
    "description-not-accepted", Layer.LINK, "We describe ourselves, and the PMS never says LA.",
    Mark.NOT_ACCEPTED, at_least=2, also=(Mark.PMS_LS,), hides=("early-data", "link-restarts"),
    words="The PMS starts the link and gets our description (LD, LR, LA), but never says LA "
    "itself.",
    do="Ask for the interface type PB (telephone) and our records in the PMS's set-up; raise "
    "record_pacing_ms under [fias] if it is slow.",
)  # fmt: skip

row(
    "link-restarts", Layer.LINK, "The link comes up, and soon the PMS says LS again, many times.",
    Mark.PMS_LS, at_least=5, confidence=Confidence.LIKELY,
    when=lambda sight: sight[Mark.PMS_LA] >= 2,
    words="The PMS accepts the link and soon starts it anew, again and again: its interface "
    "restarts, or it misses something from us.",
    do="Read the PMS's interface log at these moments; look for lost answers below.",
)  # fmt: skip

row(
    "start-unanswered", Layer.LINK, "The PMS says LS again and again, and our side says nothing.",
    Mark.PMS_LS, at_least=3, confidence=Confidence.LIKELY,
    when=lambda sight: not (sight[Mark.SAID] or sight[Mark.OUR_ACK] or sight[Mark.OUR_NAK]),
    words="The PMS says LS again and again and nobody answers it.",
    do="See that the gateway runs and that this is its line; if it does, the wire of its sending "
    "direction was not recorded, or is not connected.",
)  # fmt: skip

row(
    "calls-unanswered", Layer.LINK, "The PMS hears our LS and answers neither LS nor LA.",
    Mark.OUR_LS, confidence=Confidence.LIKELY,
    when=lambda sight: sight.link.calls >= 3 and sight.link.ended_at is None,
    words="The PMS hears us, but our LS gets neither LS nor LA: its interface is not started.",
    do="Start the interface in the PMS (its program may run while the interface is off).",
)  # fmt: skip

row(
    "alive-loop", Layer.LINK, "LA follows LA within seconds, on and on.",
    Mark.LA_LOOP, at_least=5,
    words="The PMS says LA every few seconds: each side takes the other's LA for a question.",
    do="Nothing is lost. Ask for a longer alive interval at the PMS, and for no LA in answer to "
    "LA.",
)  # fmt: skip

row(
    "alive-check-unanswered", Layer.LINK, "A link that was up does not answer our LS.",
    Mark.CHECK_UNANSWERED, at_least=1, also=(Mark.OUR_LS,),
    when=lambda sight: sight.link.up_since is None,
    words="The link was up, went quiet, and our alive check (LS) got no answer: the PMS or the "
    "way to it is gone.",
    do="See whether the PMS's interface runs; over TCP look for a firewall that forgets quiet "
    "connections.",
)  # fmt: skip

row(
    "early-data", Layer.LINK, "Records of guests come although the link is not up.",
    Mark.EARLY_DATA, at_least=3, confidence=Confidence.LIKELY, hides=("calls-unanswered",),
    when=lambda sight: sight.link.up_since is None and not sight.link.ended_at,
    words="Guest records come although the link was never completed with LS and LA.",
    do="Restart the interface in the PMS, so that it says LS; until then it uses default records "
    "and ignores ours.",
)  # fmt: skip


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
