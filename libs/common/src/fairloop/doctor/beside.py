"""What is asked beside the processes: the log's topics, the cases' owners, the disk of an embedded installation."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx

from fairloop.doctor.asking import Said
from fairloop.events import TOPICS
from fairloop.log import open_log
from fairloop.log.port import LogUnavailableError, TopicMismatchError

UNIT = "org_unit:"
"""Begins the owner of a case that no person owns."""


async def topics_of_log(url: str) -> tuple[Mapping[str, str], str | None]:
    """Topics that are not as the catalogue says, and why the log cannot be reached, if it cannot."""
    wrong: dict[str, str] = {}
    try:
        async with open_log(url) as event_log:
            for topic in TOPICS.values():
                try:
                    await event_log.check_topics({topic.name: topic.partitions})
                except TopicMismatchError as error:
                    wrong[topic.name] = str(error)
    except (LogUnavailableError, OSError, TimeoutError, ValueError) as error:
        return {}, str(error) or type(error).__name__
    return wrong, None


async def ownerless_cases(
    client: httpx.AsyncClient, said: Sequence[Said], token: str
) -> Mapping[str, int] | str:
    """Unit → open cases that wait for nobody in person; or why that cannot be told."""
    why = "closed-loop does not answer"
    for one in said:
        if one.service != "closed-loop" or not one.answers:
            continue
        try:
            answer = await client.get(
                f"{one.place.url}/v1/oversight/ageing", headers={"Authorization": f"Bearer {token}"}
            )
            if answer.is_success:
                return {
                    pile["owner"].removeprefix(UNIT): pile["open"]
                    for pile in answer.json()["by_owner"]
                    if pile["owner"].startswith(UNIT)
                }
            why = f"closed-loop answers {answer.status_code}: the token has to be an administrator's"
        except httpx.HTTPError as error:
            why = f"closed-loop: {error or type(error).__name__}"
    return why


def disk_of(folder: Path) -> tuple[int, int]:
    """Bytes free for us, and in all, on the file system of the folder. Raises OSError."""
    usage = shutil.disk_usage(folder)
    return usage.free, usage.total
