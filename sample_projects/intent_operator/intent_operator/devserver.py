"""Loopback stand-ins for the model, policy and registry services, for demos and benchmarks."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass(slots=True)
class DevServer:
    """A minimal HTTP/1.1 server; answers every request after `latency` seconds."""

    latency: float = 0.006
    port: int = 0
    requests: int = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator["DevServer"]:
        """Serve on a free port of the loopback for as long as the context lasts."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        async with server:
            self.port = server.sockets[0].getsockname()[1]
            yield self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection until either side closes it."""
        try:
            while request := await self._read_request(reader):
                path, body, keep = request
                self.requests += 1
                await asyncio.sleep(self.latency)
                answer = json.dumps(self._answer(path, body)).encode()
                head = (
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                    f"Content-Length: {len(answer)}\r\n"
                    f"Connection: {'keep-alive' if keep else 'close'}\r\n\r\n"
                )
                writer.write(head.encode() + answer)
                await writer.drain()
                if not keep:
                    break
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def _read_request(self, reader: asyncio.StreamReader) -> tuple[str, bytes, bool] | None:
        """Return path, body and whether to keep the connection; `None` at its end."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except asyncio.IncompleteReadError:
            return None
        first, *lines = head.rstrip().split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in lines)
        body = await reader.readexactly(int(fields.get("content-length", "0")))
        return first.split(" ")[1], body, fields.get("connection") != "close"

    def _answer(self, path: str, body: bytes) -> dict[str, object]:
        """Return the document that a path stands for."""
        if path == "/complete":
            prompt = json.loads(body)
            names = [f"{prompt['name']}-{index}" for index in range(prompt["replicas"])]
            return {"components": names}
        if path.startswith("/policies/"):
            return {"max_replicas": 3}
        if path.startswith("/images/"):
            return {"digest": f"sha256:{hash_text(path):016x}"}
        return {"status": "ok"}


def hash_text(text: str) -> int:
    """Return a checksum of a text that is the same in every process."""
    return sum(index * ord(char) for index, char in enumerate(text, start=1)) * 2654435761
