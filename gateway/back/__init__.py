"""The way back: what the UCM tells of its calls becomes postings, and goes to the PMS exactly once.

calls       the legs of the UCM's list of calls, as telephone calls of rooms; pure
reader      reads that list, believes it only where it shows what is known, stores what is new
states      the life of a posting, as a table; pure
lane        sends the postings, one at a time, and takes their answers
"""
