"""Awaiting one after the other costs where something waits, and not where it computes or stands in the loop's way."""

import asyncio
import os
import time


def work(seconds, value=None):
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        sum(range(100))
    return value


async def fetch(number):
    await asyncio.sleep(0.02)
    return number


async def compute(number):
    return work(0.01, number)


async def one_by_one(numbers):
    found = []
    for number in numbers:
        found.append(await fetch(number))  # costly: sequential-await
    return found


async def computed(numbers):
    found = []
    for number in numbers:
        found.append(await compute(number))  # harmless: sequential-await
    return found


async def given(numbers):
    for number in numbers:
        with open(os.path.join("/", work(0.06, "dev"), "null"), "rb"):  # harmless: blocking-call-in-async
            pass


async def main():
    await one_by_one(range(40))
    await computed(range(40))
    await given(range(12))


asyncio.run(main())
