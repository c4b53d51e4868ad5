"""What one process says of itself, asked as anybody outside would ask it."""

import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

ANSWER_SECONDS = 10.0
NO_ROUTE = "/v1/-"
"""A path that no service has: with a good token it is 404, with any other 401."""


@dataclass(frozen=True, slots=True)
class Place:
    """An address, and whose it should be when that is known."""

    url: str
    service: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """`silent`: why there was no answer, `distrusted`: why its certificate is not valid; the rest is empty then.

    `ahead_seconds`: its clock's lead over ours, None: it does not tell its time. `refuses_token`: why; None also when no token was shown.
    `metrics`: name → samples.
    """

    place: Place
    silent: str | None = None
    distrusted: str | None = None
    service: str | None = None
    version: str | None = None
    readiness: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Sequence[Sample]] = field(default_factory=dict)
    ahead_seconds: float | None = None
    certificate_until: datetime | None = None
    refuses_token: str | None = None

    @property
    def name(self) -> str:
        return self.service or self.place.service or self.place.url

    @property
    def answers(self) -> bool:
        return self.silent is None and self.distrusted is None


async def ask(client: httpx.AsyncClient, place: Place, token: str | None) -> Said:
    """Everything the process says. Never raises for what a process does or leaves undone."""
    try:
        return await _ask(client, place, token)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        invalid = _certificate_error(error)
        if invalid is not None:
            return Said(place=place, distrusted=invalid.verify_message or str(invalid))
        return Said(place=place, silent=str(error) or type(error).__name__)


async def _ask(client: httpx.AsyncClient, place: Place, token: str | None) -> Said:
    before = time.time()
    health = await client.get(f"{place.url}/healthz")
    after = time.time()
    alive = _object(health)
    ready = await client.get(f"{place.url}/readyz")
    told = _object(ready)
    readiness = told if "reasons" in told else {"reasons": [f"{ready.status_code} on /readyz"]}
    metrics = await client.get(f"{place.url}/metrics")
    return Said(
        place=place,
        silent=None if "service" in alive else f"no service of Fairloop: {health.status_code} on /healthz",
        service=alive.get("service"),
        version=alive.get("version"),
        readiness=readiness,
        metrics=samples_in(metrics.text) if metrics.is_success else {},
        ahead_seconds=_ahead(health, before, after),
        certificate_until=_certificate_end(health),
        refuses_token=await _refusal(client, place, token) if "service" in alive else None,
    )


def samples_in(page: str) -> dict[str, list[Sample]]:
    """Name → samples of a page of metrics; nothing when it is none."""
    found: dict[str, list[Sample]] = {}
    try:
        for family in text_string_to_metric_families(page):
            for sample in family.samples:
                found.setdefault(sample.name, []).append(sample)
    except ValueError:
        return {}
    return found


async def _refusal(client: httpx.AsyncClient, place: Place, token: str | None) -> str | None:
    if token is None:
        return None
    answer = await client.get(f"{place.url}{NO_ROUTE}", headers={"Authorization": f"Bearer {token}"})
    if answer.status_code != httpx.codes.UNAUTHORIZED:
        return None
    return str(_object(answer).get("detail", "it is not accepted"))


def _object(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _ahead(answer: httpx.Response, before: float, after: float) -> float | None:
    """Seconds; the header tells whole seconds, so 0 wherever our clock may be right. None without the header."""
    try:
        date = parsedate_to_datetime(answer.headers.get("date", "")).timestamp()
    except (TypeError, ValueError):
        return None
    least, most = date - after, date + 1 - before
    return least if least > 0 else min(most, 0.0)


def _certificate_end(answer: httpx.Response) -> datetime | None:
    stream = answer.extensions.get("network_stream")
    connection = stream.get_extra_info("ssl_object") if stream is not None else None
    certificate = connection.getpeercert() if connection is not None else None
    if not certificate:
        return None
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC)


def _certificate_error(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    """In what an error was raised from, if anywhere."""
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error
