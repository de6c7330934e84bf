"""A file that a loop reads line by line: opening it is the least of it."""

import tempfile
import time
from pathlib import Path

HERE = Path(tempfile.mkdtemp())
LONG, SHORT = HERE / "long", HERE / "short"
LONG.write_text("name = value\n" * 20_000)
SHORT.write_text("name = value\n" * 5)


def of_many_lines(name):
    with open(LONG) as file:  # costly: file-reread-per-call
        for line in file:
            if line.startswith(name):
                return line
    return None


def kept_open(name):
    file = open(LONG)  # costly: file-reread-per-call
    found = [line for line in file if line.startswith(name)]
    file.close()
    return found


def of_few_lines():
    with open(SHORT) as file:  # harmless: file-reread-per-call
        for _line in file:
            time.sleep(0.002)


for _ in range(200):
    of_many_lines("other")
    kept_open("other")
for _ in range(60):
    of_few_lines()
