"""Clients of the services that the operator talks to; all of them block, for use in threads."""

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Iterable
from typing import Any

from intent_operator.model import Intent

TIMEOUT = 10.0


def wait_until_ready(base: str, attempts: int = 5) -> None:
    """Return once the service answers; raise `ConnectionError` if it never does."""
    for _ in range(attempts):
        try:
            with urllib.request.urlopen(f"{base}/healthz", timeout=TIMEOUT) as response:
                if response.status == 200:
                    return
        except urllib.error.URLError:
            continue
    raise ConnectionError(f"{base} is not ready after {attempts} attempts")


def read_json(connection: http.client.HTTPConnection) -> Any:
    """Return the document in the response that the connection waits for.

    Raises `ConnectionError` for any status but 200.
    """
    response = connection.getresponse()
    text = response.read()
    if response.status != 200:
        raise ConnectionError(f"the service answered {response.status}")
    return json.loads(text)


class ModelClient:
    """Asks the model service to plan."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port

    def complete(self, intent: Intent) -> tuple[str, ...]:
        """Return the names of the components that fulfil an intent."""
        body = json.dumps({"name": intent.name, "replicas": intent.replicas})
        connection = http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT)
        try:
            connection.request("POST", "/complete", body.encode())
            return tuple(read_json(connection)["components"])
        finally:
            connection.close()


class PolicyClient:
    """Reads the policies of namespaces."""

    def __init__(self, base: str) -> None:
        self._base = base

    def fetch(self, namespace: str) -> dict[str, int]:
        """Return the limits that hold in a namespace."""
        url = f"{self._base}/policies/{namespace}"
        with urllib.request.urlopen(url, timeout=TIMEOUT) as response:
            limits: dict[str, int] = json.load(response)
        return limits


def resolve_images(host: str, port: int, images: Iterable[str]) -> dict[str, str]:
    """Return the digest that the registry has for each image."""
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT)
    digests = {}
    for image in images:
        connection.request("GET", f"/images/{image}")
        digests[image] = str(read_json(connection)["digest"])
    connection.close()
    return digests
