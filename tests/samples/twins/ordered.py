"""What sorting for one end costs is what a pass would have saved: nothing where the key takes the time, or order is."""

import random
import time

random.seed(1)
MIXED = [random.random() for _ in range(50_000)]
READY = sorted(MIXED)


def spin(seconds):
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass


def score(row):
    spin(0.0001)
    return row


def lowest_of_mixed(rows):
    return sorted(rows)[0]  # costly: sorted-for-min-max


def lowest_in_order(rows):
    return sorted(rows)[0]  # harmless: sorted-for-min-max


def lowest_by_score(rows):
    return sorted(rows, key=score)[0]  # harmless: sorted-for-min-max


for size in (50, 500, 5_000, 50_000):
    for _ in range(1_000_000 // size):
        lowest_in_order(READY[:size])
for size in (20, 100, 500, 2_500):
    for _ in range(2_500 // size):
        lowest_by_score(MIXED[:size])
for _ in range(60):
    lowest_of_mixed(MIXED)
