"""Who subscribes hears of every version of every case; nobody gets a mail twice."""

from collections import Counter, defaultdict

from tests.chaos.caller import Caller
from tests.chaos.company import SECRET
from tests.chaos.evidence import Evidence
from tests.chaos.stand import Stand


async def subscribe(caller: Caller, stand: Stand) -> None:
    """Before the first case."""
    assert stand.subscriber is not None
    body = {"url": f"{stand.subscriber.url}/cases", "events": ["case"], "secret": SECRET}
    await caller.put("closed-loop", "/v1/webhook-subscriptions/crm", body)


async def no_webhook_is_lost(evidence: Evidence) -> list[str]:
    """Whatever is on the log has arrived; what came again came under the same id with the same content."""
    assert evidence.stand.subscriber is not None
    contents: defaultdict[str, set[bytes]] = defaultdict(set)
    told: set[tuple[str, int]] = set()
    for request in evidence.stand.subscriber.requests:
        data = request.json["data"]
        told.add((data["case_id"], data["version"]))
        contents[request.headers["webhook-id"]].add(request.body)
    known = {(event.key, event.data["version"]) for event in evidence.topic("closedloop.case.v1")}
    wrong = [f"version {version} of case {case} was never told" for case, version in sorted(known - told)]
    wrong += [f"version {version} of case {case} is not on the log" for case, version in sorted(told - known)]
    return wrong + [f"{id} came with two contents" for id, bodies in contents.items() if len(bodies) > 1]


async def no_mail_comes_twice(evidence: Evidence) -> list[str]:
    """And every mail that is known to be sent has come."""
    assert evidence.stand.mails is not None
    came = Counter(str(mail["Message-ID"]) for _, mail in evidence.stand.mails.taken)
    sent = await evidence.caller.every("closed-loop", "/v1/digest-deliveries", state="sent")
    ids = {f"<digest.{one['period']}.{one['kind']}.{one['employee']}@company.test>" for one in sent}
    twice = [f"{id} came {times} times" for id, times in came.items() if times > 1]
    return twice + [f"{id} is said to be sent and never came" for id in sorted(ids - came.keys())]
