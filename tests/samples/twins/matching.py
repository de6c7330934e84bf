"""A pattern that may backtrack is judged by the texts that make it do so, not by how much text it goes over."""

import re
import time

WORDS = re.compile(r"^(\w+\s?)*$")


def rarely_fails(texts):
    matched = 0
    for text in texts:
        matched += WORDS.match(text) is not None  # costly: regex-backtracking
    return matched


def always_matches(texts):
    matched = 0
    for text in texts:
        matched += re.match(r"^(\w+\s?)*$", text) is not None  # harmless: regex-backtracking
    return matched


GOOD = ["ab cd " * size for size in (3, 30, 300, 3_000, 10_000)]
begun = time.perf_counter()
always_matches(GOOD * 20)
once = (time.perf_counter() - begun) / 20
# so many that they take about half a second on any machine
always_matches([text for text in GOOD for _ in range(int(0.5 / once))])
begun = time.perf_counter()
while time.perf_counter() - begun < 0.5:
    rarely_fails([*GOOD, "a" * 22 + "!", *GOOD])
