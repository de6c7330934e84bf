"""Adding to an array copies it: of short ones the fixed part of each call is what one call in all would save."""

import sys
import time
import types


def append(values, value):
    until = time.perf_counter() + 0.00002
    while time.perf_counter() < until:
        pass
    return [*values, value]


sys.modules["numpy"] = types.SimpleNamespace(append=append)  # stands in for NumPy

import numpy as np  # noqa: E402


def collected(count):
    values = []
    for number in range(count):
        values = np.append(values, number)  # costly: dataframe-concat-in-loop
    return values


for _ in range(20):
    collected(1200)
