"""The dashboards: what a technician asks, in the order in which he asks it."""

from collections.abc import Mapping
from typing import Final

from grafana.panel import Dashboard, Kind, Limits, Panel, Words

UP: Final[Words] = {"0": ("down", "red"), "1": ("up", "green")}
REFUSED: Final[Words] = {"0": ("trusted", "green"), "1": ("REFUSED", "red")}
BELIEVED: Final[Words] = {"0": ("believed", "green"), "1": ("NOT BELIEVED", "red")}
COMPLETE: Final[Words] = {"0": ("complete", "green"), "1": ("BROKEN OFF", "yellow")}
SERIAL_ONLY: Final = "a serial port whose driver counts; a pseudo-terminal and TCP have none"


def stat(
    title: str,
    question: str,
    query: str,
    legend: str = "{{instance}}",
    *,
    unit: str = "short",
    limits: Limits | None = None,
    words: Words | None = None,
) -> Panel:
    """One number for each gateway."""
    return Panel(title, question, Kind.STAT, {legend: query}, unit, limits, words)


def name(title: str, question: str, query: str, legend: str) -> Panel:
    """What the labels of a metric say, for each gateway."""
    return Panel(title, question, Kind.NAME, {legend: query})


def state(title: str, question: str, queries: Mapping[str, str], needs: str = "") -> Panel:
    """Up and down over time."""
    return Panel(title, question, Kind.STATE, queries, words=UP, needs=needs)


def lines(
    title: str, question: str, unit: str, queries: Mapping[str, str], needs: str = ""
) -> Panel:
    """Values over time."""
    return Panel(title, question, Kind.LINES, queries, unit, needs=needs)


def counts(title: str, question: str, metric: str, by: str, needs: str = "") -> Panel:
    """How often something happened, in bars that can be counted.

    metric  a counter, perhaps with labels in front of `$me`: `name{` or `name{label="x",`
    by      labels, separated by commas; each of their values is a colour
    """
    selector = metric if "{" in metric else f"{metric}{{"
    labels = f" by ({by})" if by else " by (instance)"
    legend = " ".join(f"{{{{{label.strip()}}}}}" for label in (by or "instance").split(","))
    query = f"sum{labels} (increase({selector}$me}}[$__rate_interval]))"
    return Panel(title, question, Kind.BARS, {legend: query}, needs=needs)


def quantiles(title: str, question: str, metric: str, by: str, *wanted: float) -> Panel:
    """How long something took: for half of them, for nearly all."""
    bys = f"{by}, " if by else ""
    legend = f"{{{{{by}}}}} " if by else ""
    return lines(
        title,
        question,
        "s",
        {
            f"{legend}p{each * 100:g}": f"histogram_quantile({each}, sum by ({bys}le)"
            f" (rate({metric}_bucket{{$me}}[$__rate_interval])))"
            for each in wanted
        },
    )


NOW: Final = Dashboard(
    "now",
    "PMS gateway: now",
    "Is the hotel all right at this moment? Read from left to right; what is not green comes first.",
    (
        (
            stat("Alarms", "Does any alert ring, and how many?",
                 'sum(ALERTS{alertstate="firing",service="pms-gateway",$me}) or vector(0)', "alarms",
                 limits=Limits(1, 2)),
            stat("PMS link", "Do the PMS and we talk to each other?", "pmsgw_link_up{$me}", words=UP),
            stat("UCM", "Does the UCM answer?", "pmsgw_ucm_up{$me}", words=UP),
            stat("Oldest waiting", "Does a room wait for the UCM, and for how long?",
                 'max by (instance) (pmsgw_outbox_oldest_waiting_seconds{lane="to_ucm",$me})', unit="s",
                 limits=Limits(60, 300)),
            stat("Parked rooms", "How many rooms did the UCM refuse, so that somebody must look?",
                 'sum by (instance) (pmsgw_outbox_entries{lane="to_ucm",state="parked",$me})', limits=Limits(1, 10)),
            stat("Rooms that differ", "In how many rooms does the UCM show something else than the PMS said?",
                 "pmsgw_rooms_drifted{$me}", limits=Limits(1, 5)),
        ),
        (
            state("Link and UCM", "When was either of the two sides away?",
                  {"PMS link {{instance}}": "pmsgw_link_up{$me}", "UCM {{instance}}": "pmsgw_ucm_up{$me}"}),
            stat("Silence of the PMS", "How long ago did the PMS say anything? While the link is up it is asked every 5 minutes.",
                 "time() - (pmsgw_last_record_timestamp_seconds{$me} > 0)", unit="s", limits=Limits(600, 1800)),
        ),
        (
            lines("Records from the PMS", "How much does the PMS say?", "short",
                  {"{{instance}} per minute":
                   'sum by (instance) (rate(pmsgw_records_total{direction="in",$me}[$__rate_interval])) * 60'}),
            lines("From the desk to the phone", "How long does nearly everybody wait for his phone?", "s",
                  {"p95 {{instance}}": "instance:pmsgw_delivery_seconds:p95_10m{$me}"}),
            counts("Not understood", "What of the line could not be used? Bytes that are no frame.",
                   "pmsgw_frames_refused_total", "reason"),
        ),
    ),
)  # fmt: skip

LINE: Final = Dashboard(
    "line",
    "PMS gateway: line and link",
    "What does the line do, the lowest layer first: driver, bytes, frames, answers, records, link.",
    (
        (
            counts("Serial driver errors", "Are bits damaged before anybody counts bytes: speed, parity, cable?",
                   "pmsgw_serial_errors_total", "kind", SERIAL_ONLY),
            lines("Bytes", "Does anything move, and in both directions?", "Bps",
                  {"{{direction}}": "sum by (direction) (rate(pmsgw_line_bytes_total{$me}[$__rate_interval]))"}),
            counts("Refused frames", "Which bytes are no frame, and why?", "pmsgw_frames_refused_total", "reason"),
        ),
        (
            lines("Share of frames refused", "What part of what the PMS says arrives damaged?", "percentunit",
                  {"{{instance}}": "instance:pmsgw_frames_refused:ratio_15m{$me}"}),
            counts("ACK, NAK, ENQ", "Who asks again (NAK, ENQ), they (in) or we (out)?",
                   "pmsgw_line_handshakes_total", "direction, signal"),
            quantiles("Time to our ACK", "Is a record acknowledged well before the PMS loses patience after 3 s?",
                      "pmsgw_ack_seconds", "", 0.5, 0.99),
        ),
        (
            state("Link", "When was the link up?", {"{{instance}}": "pmsgw_link_up{$me}"}),
            counts("Steps of the link", "Does it come up and fall again, and how far does it get?",
                   "pmsgw_link_transitions_total", "to"),
            counts("Sent again and given up", "Did an ACK get lost, on their way or on ours?",
                   "pmsgw_records_repeated_total", ""),
            counts("Ours that were never acknowledged", "Does the PMS answer our records?",
                   "pmsgw_records_given_up_total", ""),
        ),
        (
            counts("Records from the PMS", "What does the PMS tell, by record?",
                   'pmsgw_records_total{direction="in",', "record"),
            counts("Records to the PMS", "What do we tell the PMS, by record?",
                   'pmsgw_records_total{direction="out",', "record"),
            counts("Refused records", "Which whole frames made no sense, and why?",
                   "pmsgw_records_refused_total", "reason"),
        ),
        (
            counts("Unknown fields", "Does the PMS say fields that its records do not have?",
                   "pmsgw_fields_unknown_total", ""),
            counts("Unreadable fields", "Does it say values that are none, such as an impossible date?",
                   "pmsgw_fields_odd_total", ""),
            counts("Remarks", "What did the PMS say that did not fit what we knew?", "pmsgw_remarks_total", "remark"),
        ),
        (
            counts("Lost pieces of the capture", "Is the record of the line whole?", "pmsgw_capture_lost_total", ""),
            counts("Strangers on the line", "Does somebody dial who may not be the PMS?",
                   "pmsgw_line_peers_refused_total", ""),
            counts("Flood", "Does the peer say more than any line carries, so that it is read later?",
                   "pmsgw_line_slowed_total", ""),
            counts("Faults of the diagnosis", "Did `line explain` fail inside the service? That is a fault of ours.",
                   "pmsgw_examiner_failures_total", ""),
        ),
    ),
)  # fmt: skip

UCM: Final = Dashboard(
    "ucm",
    "PMS gateway: UCM",
    "Does the UCM answer, how fast, and what does it refuse?",
    (
        (
            state("UCM", "When did the UCM not answer?", {"{{instance}}": "pmsgw_ucm_up{$me}"}),
            stat("Certificate ends in", "When must somebody renew the UCM's certificate?",
                 "(pmsgw_ucm_certificate_expiry_timestamp_seconds{$me} > 0) - time()", unit="s",
                 limits=Limits(30 * 86_400, 7 * 86_400)),
            stat("Certificate", "Does the UCM show the certificate that is trusted?",
                 "pmsgw_ucm_certificate_refused{$me}", words=REFUSED),
            stat("Refused logins of this hour", "Is a ban near? A UCM bans after five.",
                 'increase(pmsgw_ucm_logins_total{result="rejected",$me}[1h])', limits=Limits(0.5, 3)),
        ),
        (
            quantiles("Time of a request", "Does the UCM nearly always answer in time, by action?",
                      "pmsgw_ucm_request_seconds", "action", 0.95),
            counts("Requests", "What is asked of the UCM, and with which result?",
                   "pmsgw_ucm_request_seconds_count", "action, result"),
            quantiles("From the desk to the phone", "How long does nearly everybody wait, from a record's last byte to the UCM's yes?",
                      "pmsgw_delivery_seconds", "event", 0.95),
        ),
        (
            counts("Failures", "What does the UCM answer instead of yes, or what happens on the way?",
                   "pmsgw_ucm_failures_total", "action, code"),
            counts("Repeated requests", "What is asked again, and why?", "pmsgw_ucm_retries_total", "action, reason"),
            counts("Logins", "How often do we log in, and does it work?", "pmsgw_ucm_logins_total", "result"),
        ),
    ),
)  # fmt: skip

OUTBOX: Final = Dashboard(
    "outbox",
    "PMS gateway: outbox and rooms",
    "Does the UCM show in each room what the PMS said last, and what is in the way where it does not?",
    (
        (
            stat("Store", "Can the file outbox.db be read and written?", "pmsgw_outbox_up{$me}", words=UP),
            stat("Parked rooms", "How many rooms did the UCM refuse, so that somebody must look?",
                 'sum by (instance) (pmsgw_outbox_entries{lane="to_ucm",state="parked",$me})', limits=Limits(1, 10)),
            stat("Rooms that differ", "In how many rooms does the UCM show something else than the PMS said?",
                 "pmsgw_rooms_drifted{$me}", limits=Limits(1, 5)),
            stat("Comparison", "Is the UCM's list of rooms believed? While it is not, no difference is corrected.",
                 "pmsgw_comparison_not_believed{$me}", words=BELIEVED),
            stat("Resync", "Did the last resync of the PMS come to its end?", "pmsgw_resync_missing{$me}",
                 words=COMPLETE),
            stat("Unnamed rooms", "In how many rooms does the UCM show a guest of whom the PMS has said nothing? They are left alone.",
                 "pmsgw_rooms_unnamed{$me}"),
        ),
        (
            lines("Waiting and parked", "Do more and more rooms wait, or does their number fall?", "short",
                  {"{{lane}} {{state}}": "sum by (lane, state) (pmsgw_outbox_entries{$me})"}),
            lines("Oldest waiting", "For how long has the room waited that has waited longest?", "s",
                  {"{{lane}}": "max by (lane) (pmsgw_outbox_oldest_waiting_seconds{$me})"}),
            lines("Changes and calls", "Is the UCM told as fast as the hotel changes? Fewer calls than changes is normal: of each room only the last state is told.", "short",
                  {"changes per minute": "sum(rate(pmsgw_guest_events_total{$me}[$__rate_interval])) * 60",
                   "calls per minute": "sum(rate(pmsgw_delivery_seconds_count{$me}[$__rate_interval])) * 60"}),
        ),
        (
            counts("What happens in the hotel", "What changes by the PMS's word, by event?",
                   "pmsgw_guest_events_total", "event"),
            quantiles("Time to disk", "Is the disk fast enough for an ACK in time?",
                      "pmsgw_outbox_commit_seconds", "", 0.5, 0.99),
            counts("Failed writes", "Does the disk refuse?", "pmsgw_outbox_failures_total", ""),
        ),
        (
            lines("Rooms", "How full is the hotel, by the PMS's word?", "short",
                  {"{{state}}": "sum by (state) (pmsgw_rooms{$me})"}),
            lines("Rooms that differ", "Do differences come and go (corrected), or stay?", "short",
                  {"{{instance}}": "pmsgw_rooms_drifted{$me}"}),
            lines("Phones", "Are the phones in the rooms there, and is any behind with a guest's contacts?", "short",
                  {"{{state}}": "sum by (state) (pmsgw_phones{$me})"}, needs="[phones]"),
        ),
    ),
)  # fmt: skip

APPLIANCE: Final = Dashboard(
    "appliance",
    "PMS gateway: appliance",
    "Is the machine itself all right: process, memory, disk, clock?",
    (
        (
            stat("Gateway", "Can the metrics be fetched?", "up{$me}", words=UP),
            stat("Running for", "Since when does it run?", "time() - process_start_time_seconds{$me}", unit="s"),
            stat("Starts of this day", "Does it start again and again?",
                 "changes(process_start_time_seconds{$me}[1d])", limits=Limits(2, 5)),
            stat("Open files", "What part of the files and sockets that it may open is open?",
                 "process_open_fds{$me} / process_max_fds{$me}", unit="percentunit", limits=Limits(0.5, 0.8)),
            name("Version", "Which version runs at which site?", "pmsgw_build_info{$me}", "{{site}} {{version}}"),
            name("Python", "Which Python runs it?", "python_info{$me}", "{{implementation}} {{version}}"),
        ),
        (
            lines("Memory", "Does it grow?", "bytes", {"{{instance}}": "process_resident_memory_bytes{$me}"}),
            lines("Processor", "How much of one core does it use?", "percentunit",
                  {"{{instance}}": "rate(process_cpu_seconds_total{$me}[$__rate_interval])"}),
            lines("Open files", "Does it lose files or sockets?", "short",
                  {"{{instance}}": "process_open_fds{$me}"}),
        ),
        (
            lines("Free disk", "Is there room for the outbox and the captures?", "bytes",
                  {"{{instance}} free": "pmsgw_data_dir_free_bytes{$me}"}),
            stat("Disk used", "What part of the disk is taken?",
                 "1 - pmsgw_data_dir_free_bytes{$me} / pmsgw_data_dir_size_bytes{$me}", unit="percentunit",
                 limits=Limits(0.8, 0.95)),
            lines("Clock", "Is its clock right? Wake-ups ring by it. Held against the clock of Prometheus.", "s",
                  {"{{instance}}": "instance:pmsgw_clock_error_seconds:now{$me}"}),
            lines("Time of a scrape", "Does the event loop answer at once?", "s",
                  {"{{instance}}": "scrape_duration_seconds{$me}"}),
        ),
    ),
)  # fmt: skip

BACK: Final = Dashboard(
    "back",
    "PMS gateway: charges",
    "Is what the guests telephone on their bills? Empty where back.charges is off.",
    (
        (
            stat("Parked", "Do charges wait for a human, because they are refused, unknown or held?",
                 'sum by (instance) (pmsgw_postings{state="parked",$me})', limits=Limits(1, 10)),
            stat("Waiting", "How many charges wait to be sent?",
                 'sum by (instance) (pmsgw_postings{state=~"waiting|sent",$me})', limits=Limits(20, 200)),
            stat("Calls", "Is the UCM's list of calls believed?", "pmsgw_ucm_calls_blind{$me}", words=BELIEVED),
            stat("Last booked", "How long ago did the PMS last book a charge?",
                 "time() - (pmsgw_last_booked_timestamp_seconds{$me} > 0)", unit="s"),
            stat("Last call", "How long ago did a room last telephone?",
                 "time() - (pmsgw_last_call_timestamp_seconds{$me} > 0)", unit="s"),
            stat("Events", "Does the UCM tell by itself? 0: it is polled only.", "pmsgw_ucm_events_up{$me}"),
            stat("UCM clock", "How far is the UCM's clock ahead of this machine's?",
                 "pmsgw_ucm_clock_error_seconds{$me}", unit="s"),
            stat("Unread", "How many records of the UCM's list had no readable time?",
                 "increase(pmsgw_ucm_calls_unread_total{$me}[1d])", limits=Limits(1, 100)),
        ),
        (
            counts("Calls by use", "What is telephoned, and what of it is charged?", "pmsgw_calls_total", "use"),
            counts("What came of charges", "Does the PMS book them?", "pmsgw_postings_total", "kind, result"),
        ),
        (
            counts("Wake-ups by how they ended", "Are guests woken?", "pmsgw_wake_ups_total", "ending"),
            counts("What the UCM tells by itself", "Does its WebSocket tell?", "pmsgw_ucm_events_total", "event"),
        ),
        (
            lines("Amounts", "What do the calls of a day cost by our tariff, in the smallest unit of the currency?", "short",
                  {"{{use}}": "sum by (use) (increase(pmsgw_calls_amount_total{$me}[1d]))"}),
            quantiles("Time to the answer", "How long does the PMS take to book?",
                      "pmsgw_posting_answer_seconds", "", 0.5, 0.99),
        ),
    ),
)  # fmt: skip

HOUSES: Final = Dashboard(
    "houses",
    "PMS gateway: all houses",
    "Which hotel needs somebody now? The worst stands first; empty is good.",
    (
        (
            stat("Houses", "How many hotels are watched?", "count(count by (site) (up{$me}))", "houses"),
            stat("Not asked", "How many gateways cannot be asked?", "count(up{$me} == 0) or vector(0)", "gateways",
                 limits=Limits(1, 2)),
            stat("Houses with alerts", "In how many hotels does an alert ring?",
                 'count(count by (site) (ALERTS{alertstate="firing",service="pms-gateway",$me})) or vector(0)', "houses",
                 limits=Limits(1, 3)),
            stat("No second gateway", "How many pairs have only one left?",
                 'count(pmsgw_pair_role{role="holder",$me} == 1 and on (instance) pmsgw_pair_standbys == 0) or vector(0)',
                 "pairs", limits=Limits(1, 2)),
        ),
        (
            stat("Alerts by house", "Which hotel needs somebody now?",
                 'sort_desc(count by (site) (ALERTS{alertstate="firing",service="pms-gateway",$me}))', "{{site}}",
                 limits=Limits(1, 2)),
        ),
        (
            stat("No PMS", "In which hotels is the link to the PMS down?", "pmsgw_link_up{$me} == 0", "{{site}} {{line}}",
                 words=UP),
            stat("No UCM", "In which hotels does the UCM not answer?", "pmsgw_ucm_up{$me} == 0", "{{site}}", words=UP),
            stat("Parked rooms by house", "Where must somebody look at refused rooms?",
                 'sum by (site) (pmsgw_outbox_entries{lane="to_ucm",state="parked",$me}) > 0', "{{site}}",
                 limits=Limits(1, 10)),
            stat("Parked charges by house", "Where must somebody look at charges?",
                 'sum by (site) (pmsgw_postings{state="parked",$me}) > 0', "{{site}}", limits=Limits(1, 10)),
        ),
        (
            lines("Oldest waiting by house", "Does a room of any hotel wait for its UCM?", "s",
                  {"{{site}}": 'max by (site) (pmsgw_outbox_oldest_waiting_seconds{lane="to_ucm",$me})'}),
            lines("Records by house", "Does each PMS speak?", "short",
                  {"{{site}} per minute": 'sum by (site) (rate(pmsgw_records_total{direction="in",$me}[$__rate_interval])) * 60'}),
            state("Who is at work", "Which gateway of each pair holds the house?",
                  {"{{site}} {{instance}}": 'pmsgw_pair_role{role="holder",$me}'}, needs="two gateways"),
        ),
    ),
)  # fmt: skip

DASHBOARDS: Final = (HOUSES, NOW, LINE, UCM, OUTBOX, BACK, APPLIANCE)
