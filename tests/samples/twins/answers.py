"""What is fetched is there when its body has been read."""

import asyncio
import time


class Answer:
    def __init__(self, seconds):
        self.seconds = seconds

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        pass

    async def text(self):
        await asyncio.sleep(self.seconds)
        return "{}"


class Http:
    def __init__(self, seconds):
        self.seconds = seconds

    def get(self, url):
        return Answer(self.seconds)


async def keys(client):
    async with client.get("http://localhost/keys") as answer:  # costly: fetch-every-time
        return await answer.text()


async def small_keys(client):
    async with client.get("http://localhost/small") as answer:  # harmless: fetch-every-time
        text = await answer.text()
    time.sleep(0.01)
    return text


async def serve(slow, fast):
    for _ in range(50):
        await keys(slow)
        await small_keys(fast)


asyncio.run(serve(Http(0.02), Http(0.0)))
