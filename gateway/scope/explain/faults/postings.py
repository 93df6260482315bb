"""Charges: they go out, and nothing or nothing good comes back."""

from gateway.scope.explain.marks import Mark
from gateway.scope.explain.table import row
from gateway.scope.explain.values import Confidence, Layer

row(
    "charges-answered-without-number", Layer.RECORDS, "PA comes without P#.",
    Mark.ANSWER_WITHOUT_NUMBER, at_least=1, hides=("charges-unanswered",),
    words="The PMS answers charges (PA) without their number (P#), so that no answer can be "
    "matched: each charge is unknown.",
    do="Ask the vendor of the PMS for P# in PS and in PA of this interface.",
)  # fmt: skip

row(
    "charges-unanswered", Layer.RECORDS, "PS goes out again and again, and no PA comes.",
    Mark.CHARGE_UNANSWERED, at_least=2, confidence=Confidence.LIKELY,
    when=lambda sight: not sight[Mark.CHARGE_BOOKED] and not sight[Mark.CHARGE_REFUSED],
    words="We post charges (PS) and the PMS never answers (PA): they may be booked or not.",
    do="Look at a guest's bill; then ask the vendor of the PMS whether this interface may post "
    "and answers with PA.",
)  # fmt: skip

row(
    "charges-refused", Layer.RECORDS, "PA refuses every charge.",
    Mark.CHARGE_REFUSED, at_least=3, confidence=Confidence.LIKELY,
    when=lambda sight: not sight[Mark.CHARGE_BOOKED],
    words="The PMS refuses every charge: it expects another type (PT), or this interface may not "
    "post.",
    do="`pms-gateway postings list` has the PMS's reason. Compare charges under [back] with what "
    "the PMS is set to: timed is PT=T, priced is PT=C; see docs/charges.md.",
)  # fmt: skip
