"""A caller of Fairloop's five APIs, and the checks the story makes of their answers."""

import json
import os
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

PATIENCE_SECONDS = 60.0


class StoryError(Exception):
    """A request was refused, or a figure did not become what it should."""


@cache
def trusted() -> ssl.SSLContext:
    """The authorities of this machine, and of SSL_CERT_FILE."""
    return ssl.create_default_context()


def reach(client: httpx.Client, method: str, path: str, **options: Any) -> httpx.Response:
    """Raises StoryError when nobody answers."""
    try:
        return client.request(method, path, **options)
    except httpx.TransportError as error:
        raise StoryError(f"{client.base_url} cannot be reached: {error or type(error).__name__}") from error


class Fairloop:
    """An installation, as one caller."""

    def __init__(self, urls: dict[str, str], token: str) -> None:
        self._clients = {
            name: httpx.Client(
                base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=30, verify=trusted()
            )
            for name, url in urls.items()
        }
        self._platform = httpx.Client(base_url=urls["survey-intake"], timeout=30, verify=trusted())
        self.urls = urls

    @classmethod
    def local(cls) -> "Fairloop":
        """The installation of this checkout, as its administrator."""
        home = Path(os.environ.get("FAIRLOOP_HOME", ".fairloop"))
        state = json.loads((home / "run.json").read_text())
        return cls(state["services"], state["tokens"]["admin"])

    def somebody(self, *options: str) -> "Fairloop":
        """The same installation as another caller; options of `fairloop token`."""
        command = [sys.executable, "-m", "fairloop.cli", "token", *options]
        token = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
        return Fairloop(self.urls, token)

    def call(self, method: str, service: str, path: str, body: Any = None, **options: Any) -> Any:
        """The JSON answer. Raises StoryError for anything but success."""
        answer = self.answer(method, service, path, body, **options)
        if not answer.is_success:
            raise StoryError(f"{method} {service} {path}: {answer.status_code} {answer.text}")
        return answer.json() if "json" in answer.headers.get("content-type", "") else answer.text

    def answer(
        self, method: str, service: str, path: str, body: Any = None, **options: Any
    ) -> httpx.Response:
        """Whatever the service answers. Raises StoryError when it cannot be reached."""
        return reach(self._clients[service], method, path, json=body, **options)

    def get(self, service: str, path: str, **parameters: Any) -> Any:
        return self.call("GET", service, path, params=parameters)

    def put(self, service: str, path: str, body: Any) -> Any:
        return self.call("PUT", service, path, body)

    def post(self, service: str, path: str, body: Any = None) -> Any:
        return self.call("POST", service, path, body)

    def every(self, service: str, path: str, **parameters: Any) -> list[Any]:
        """All pages of a list."""
        items: list[Any] = []
        cursor: str | None = None
        while True:
            page = self.get(service, path, limit=500, **parameters, **({"cursor": cursor} if cursor else {}))
            items += page["items"]
            cursor = page["next"]
            if cursor is None:
                return items

    def webhook(self, connection: str, body: bytes, headers: dict[str, str]) -> Any:
        """Post as the survey platform does: signed, without a token."""
        answer = reach(self._platform, "POST", f"/v1/webhooks/{connection}", content=body, headers=headers)
        if answer.status_code != httpx.codes.ACCEPTED:
            raise StoryError(f"webhook: {answer.status_code} {answer.text}")
        return answer.json()


class Checks:
    """Counts what was checked, and remembers what was off."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.made = 0
        self.off: list[str] = []

    def equal(self, what: str, found: Any, expected: Any) -> None:
        self.made += 1
        if found != expected:
            self.off.append(f"{what}: {found!r} instead of {expected!r}")
            self.console.print(f"  [bold red]off[/] {self.off[-1]}")

    def true(self, what: str, holds: bool) -> None:
        self.equal(what, holds, True)

    def eventually(self, what: str, look: Callable[[], Any], expected: Any) -> None:
        """Events take a moment: look until it is so; off when it does not come."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        found = look()
        while found != expected and time.monotonic() < deadline:
            time.sleep(0.05)
            found = look()
        self.equal(what, found, expected)
