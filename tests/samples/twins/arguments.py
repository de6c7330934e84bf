"""What the arguments of a call cost to evaluate is not the call's doing."""

import copy
import json
import time

STATE = {str(number): [number] * 5 for number in range(60)}


def work(seconds, value=1):
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        sum(range(500))
    return value


def small_copies():
    for number in range(100):
        copy.deepcopy({"n": work(0.003, number)})  # harmless: deepcopy-in-loop


def large_copies():
    for _ in range(6000):
        copy.deepcopy(STATE)  # costly: deepcopy-in-loop


def small_roundtrip(number):
    return json.loads(json.dumps({"n": work(0.003, number)}))  # harmless: json-roundtrip-copy


def large_roundtrip():
    return json.loads(json.dumps(STATE))  # costly: json-roundtrip-copy


def in_two_lines():
    text = json.dumps(STATE)
    return json.loads(text)  # costly: json-roundtrip-copy


small_copies()
large_copies()
for number in range(100):
    small_roundtrip(number)
for _ in range(8000):
    large_roundtrip()
for _ in range(8000):
    in_two_lines()
