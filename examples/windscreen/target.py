"""Somebody's running installation: which address is whose, and whether the story may be played beside what is there."""

from collections.abc import Sequence

import httpx
from client import Fairloop, StoryError, reach, trusted

SERVICES = ("survey-intake", "attribution", "kpi-aggregator", "closed-loop", "bonus")
SMALLEST = 6
"""Answers behind the story's smallest figure."""


def services_at(urls: Sequence[str]) -> dict[str, str]:
    """Service → address, as each says of itself. Raises StoryError unless every service has one."""
    named = {_service_at(url): url for url in urls}
    if missing := [service for service in SERVICES if service not in named]:
        raise StoryError(f"none of the addresses is that of {', '.join(missing)}")
    return {service: named[service] for service in SERVICES}


def _service_at(url: str) -> str:
    with httpx.Client(base_url=url, timeout=30, verify=trusted()) as client:
        answer = reach(client, "GET", "/healthz")
    try:
        return str(answer.json()["service"])
    except (ValueError, KeyError, TypeError):
        raise StoryError(f"{url} is no service of Fairloop: {answer.status_code} on /healthz") from None


def check_room(api: Fairloop) -> None:
    """Raises StoryError where the story would disturb others, or could not show its figures."""
    leaning = [one["id"] for one in api.every("survey-intake", "/v1/connections") if not one["taxonomy"]]
    if (
        leaning
    ):  # without a name it is the only one there is: a second one would change what their answers mean
        raise StoryError(
            f"the story brings a taxonomy of its own, and connection {leaning[0]} names none: "
            "put it again with its `taxonomy` first"
        )
    min_n = api.get("kpi-aggregator", "/v1/kpi-settings/nps")["min_n"]
    if min_n > SMALLEST:
        raise StoryError(f"NPS is shown from {min_n} answers on here, the story has figures of {SMALLEST}")
