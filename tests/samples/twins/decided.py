"""A list made for `any` wastes what stands behind the item that decides, and nothing where none does."""

import time


def is_wanted(number, wanted):
    until = time.perf_counter() + 0.0003
    while time.perf_counter() < until:
        pass
    return number == wanted


def first_decides(numbers):
    return any([is_wanted(number, 1) for number in numbers])  # costly: list-for-any-all


def last_decides(numbers):
    return any([is_wanted(number, len(numbers) - 1) for number in numbers])  # harmless: list-for-any-all


def none_decides(numbers):
    return all([not is_wanted(number, -1) for number in numbers])  # harmless: list-for-any-all


for _ in range(10):
    first_decides(range(200))
    last_decides(range(200))
    none_decides(range(200))
