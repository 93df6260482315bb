"""Words to tell a story about a hotel in, and the hotel."""

import asyncio

from tests.site import Site

ROOMS = ("101", "102", "103", "104", "105", "202")
A, B, C, D = "G#1|GNAnders|", "G#2|GNBell|", "G#3|GNCole|", "G#4|GNDunn|"


def all_out(tmp_path, **how):
    """A hotel of which the PMS and the UCM say that all rooms are out."""
    site = Site(tmp_path / "store.db", ROOMS, **how)
    asyncio.run(site.told("DS|", *(f"GO|RN{room}|SF|" for room in ROOMS), "DE|"))
    return site


def old_api(tmp_path):
    return all_out(tmp_path, has_list=False)


def say(site, *records, fates=()):
    site.api.plan[:] = fates
    return asyncio.run(site.told(*records))


def shows(site, room):
    there = site.ucm.rooms[room]
    return there.lastname if there.is_in else None


def rings(site, room):
    return site.ucm.rooms[room].wake_up


def with_a(site, *records):
    say(site, f"GI|RN101|{A}GSN|", *records)
    site.leave_message("101")


def walk_in(site, room):
    there = site.ucm.rooms[room]
    there.is_in, there.account, there.lastname, there.messages = True, "999", "Walk", ("999",)
    site.relay.comparison.is_known = False
