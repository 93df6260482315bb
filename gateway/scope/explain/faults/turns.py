"""Lines on which each message is asked for with ENQ: turns are asked for, and not used."""

from functools import partial

from gateway.scope.explain import table
from gateway.scope.explain.marks import Mark
from gateway.scope.explain.values import Confidence, Layer, Speech

row = partial(table.row, speech=Speech.TURNS)

row(
    "turn-not-given", Layer.ANSWERS, "Our ENQ gets no answer from a PMS that speaks itself.",
    Mark.OUR_ENQ, at_least=5, confidence=Confidence.LIKELY,
    when=lambda sight: sight.port.heard_now and not sight.is_deaf,
    words="We ask for our turn (ENQ) and the PMS, which is there, never says ACK: it does not hear "
    "us, or takes no messages of a phone system.",
    do="Check the wire of our sending direction; if the PMS's own messages are acknowledged, "
    "switch off what goes back to it under [back].",
)  # fmt: skip

row(
    "turn-not-used", Layer.ANSWERS, "ENQ comes again and again, and never a message.",
    Mark.PMS_ENQ, at_least=3, confidence=Confidence.LIKELY,
    words="The PMS asks for its turn (ENQ) again and again and says nothing: our ACK does not "
    "reach it.",
    do="Check the wire of our sending direction (pin 3 to pin 2), and that one device answers.",
)  # fmt: skip

row(
    "enq-asks-for-answers", Layer.ANSWERS, "ENQ comes behind messages, and not in front of them.",
    Mark.ENQ_ALONE, at_least=2, also=(Mark.UNASKED,), confidence=Confidence.LIKELY,
    when=lambda sight: sight[Mark.UNASKED] >= 1,
    words="The PMS sends messages without asking, and its ENQ behind them asks for our last "
    "answer: it means the other of the two things that ENQ can mean.",
    do="Set the PMS's interface to Mitel (SX-200, Lodgistix) with ENQ in front of each message.",
)  # fmt: skip

row(
    "messages-refused", Layer.ANSWERS, "Every message of ours gets NAK.",
    Mark.PMS_NAK_RUN, at_least=5, blocks=True,
    words="The PMS refuses (NAK) every message of ours: it does not know it, or not this room.",
    do="See the message in the evidence; ask the PMS's vendor whether it takes STS and MW, or "
    "switch room_status and voicemail off under [back].",
)  # fmt: skip
