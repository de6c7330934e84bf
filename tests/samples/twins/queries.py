"""Some drivers look for rows only as they are fetched: that is part of what the query costs."""

import sqlite3
import time

DB = sqlite3.connect(":memory:")
DB.execute("create table words (id integer primary key, word text)")
DB.executemany("insert into words values (?, ?)", [(number, str(number)) for number in range(40_000)])
SCAN = "select word from words where word like ?"


def spin(seconds):
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass


def all_of_each(keys):
    found = []
    for key in keys:
        found.append(DB.execute(SCAN, (f"{key}%",)).fetchall())  # costly: query-in-loop
    return found


def by_cursor(keys):
    cursor, found = DB.cursor(), []
    for key in keys:
        cursor.execute(SCAN, (f"{key}%",))  # costly: query-in-loop
        found.append(cursor.fetchall())
    return found


def by_row(keys):
    count = 0
    for key in keys:
        for _ in DB.execute(SCAN, (f"{key}%",)):  # costly: query-in-loop
            count += 1
    return count


def by_key(keys):
    found = []
    for key in keys:
        spin(0.001)
        found.append(DB.execute("select word from words where id = ?", (key,)).fetchone())  # harmless: query-in-loop
    return found


all_of_each(range(100))
by_cursor(range(100))
by_row(range(100))
by_key(range(1_000))
