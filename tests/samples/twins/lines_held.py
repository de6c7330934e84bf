"""All lines of a file at once cost the memory that they take, not the time, which is the same line by line."""

import os
import tempfile

PLACE = tempfile.mkdtemp()
SMALL, LARGE = os.path.join(PLACE, "small"), os.path.join(PLACE, "large")
for path, lines in ((SMALL, 2_000), (LARGE, 400_000)):
    with open(path, "w") as file:
        file.write("some words\n" * lines)


def count_small(path):
    count = 0
    with open(path) as file:
        for _ in file.readlines():  # harmless: readlines-whole-file
            count += 1
    return count


def count_large(path):
    count = 0
    with open(path) as file:
        for _ in file.readlines():  # costly: readlines-whole-file
            count += 1
    return count


for _ in range(3_000):
    count_small(SMALL)
count_large(LARGE)
