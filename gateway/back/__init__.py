"""The way back: what the UCM tells becomes postings, and goes to the PMS exactly once.

poll        asks the UCM again and again
reader      reads its list of calls, believes it only where it shows what is known, stores the rest
calls       the legs of that list, as telephone calls of rooms; pure
dialled     what was dialled, as a number of the world; pure
tariff      what a call costs; pure. `tariff_file` reads one
charges     who pays for a call, and in which room
levels      what a maid keys, and the messages that wait: the latest of each room
states      the life of a posting, as a table; pure
lane        sends the postings, one at a time, and takes their answers. `lanes`: one for each line
"""
