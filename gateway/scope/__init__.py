"""The line scope: what is recorded of a line, and what a technician is told about it.

profile     how a line is spoken; goes along with every capture
recorder    every byte of the service's line, as steps of a transcript, to all listeners
ring        the last days of it on disk
rows        steps as transactions: a frame, its answer, how long that took, what it meant
sources     anything a technician has (captures, dumps, logs, pastes) as steps
export      steps as notation, JSON lines and pcapng for others, without guests
wireshark   the tables of the dissector in deploy/wireshark
decode      one body, field by field
explain     what is wrong, lowest layer first
reread      bytes captured at 8N1, as another format would have read them
detect      the settings of a line from what was heard of it
bert        own bytes that come back: what they say of the cable, and of its errors
"""
