"""What blocks an event loop at its first use only, and what does so each time."""

import asyncio
import time

_settings = {}


def settings():
    if not _settings:
        time.sleep(0.4)
        _settings["name"] = "value"
    return _settings


def lookup():
    time.sleep(0.06)


async def lazily():
    return settings()  # open: blocking-call-in-async


async def each_time():
    return lookup()  # costly: blocking-call-in-async


async def main():
    for _ in range(12):
        await lazily()
        await each_time()


asyncio.run(main())
