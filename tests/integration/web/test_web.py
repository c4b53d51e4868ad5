"""What every API promises its callers."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from tests.integration.web.conftest import serving_things

from fairloop.api_keys import create_api_key, revoke_api_key
from fairloop.db import is_transient, sql
from fairloop.embedded import temporary_postgres
from fairloop.testing import Box
from fairloop.web.middleware import MAX_BODY


async def test_a_wrong_field_is_pointed_at(box: Box) -> None:
    answer = await box.http("admin").put("/v1/things/a", json={"count": "many", "colour": 1})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert {error["pointer"] for error in problem["errors"]} == {"/body/count", "/body/colour"}
    assert (problem["status"], problem["type"]) == (422, "about:blank")


@pytest.mark.parametrize("id", ["a b", "ü", "x" * 129, "a%2Fb"])
async def test_an_id_that_is_no_slug_is_refused(box: Box, id: str) -> None:
    assert (await box.http("admin").put(f"/v1/things/{id}", json={"count": 1})).status_code in {404, 422}


async def test_json_that_is_none_is_refused(box: Box) -> None:
    for content in (b"{", b"\xff\xfe", b"[" * 10_000, b"", b"null", b"NaN"):
        answer = await box.http("admin").put(
            "/v1/things/a", content=content, headers={"content-type": "application/json"}
        )
        assert answer.status_code in {400, 422}, content[:10]
        assert answer.headers["content-type"] == "application/problem+json"


async def test_a_list_is_read_page_by_page_and_nothing_twice(box: Box) -> None:
    http = box.http("admin")
    for n in range(25):
        await http.put(f"/v1/things/t{n:02}", json={"count": n})
    seen: list[str] = []
    cursor = None
    while True:
        page = (
            await http.get("/v1/things", params={"limit": 7, **({"cursor": cursor} if cursor else {})})
        ).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
        await http.put(f"/v1/things/a-newer-one-{len(seen)}", json={"count": 0})
    assert seen == [f"t{n:02}" for n in range(25)]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=501", "limit=x", "cursor=zzz", "cursor=WzFd", "cursor=%00"]
)
async def test_a_wrong_page_is_refused(box: Box, query: str) -> None:
    assert (await box.http("admin").get(f"/v1/things?{query}")).status_code == 422


async def test_the_same_key_and_body_gives_the_first_answer_again(box: Box) -> None:
    http = box.http("admin")
    await http.put("/v1/things/a", json={"count": 1})
    answers = [await http.post("/v1/things/a/count", headers={"Idempotency-Key": "k"}) for _ in range(3)]
    assert {(answer.status_code, answer.text) for answer in answers} == {(201, '{"id":"a","count":2}')}
    assert answers[1].headers["idempotent-replay"] == "true"


async def test_a_key_with_another_body_is_refused_and_other_callers_and_routes_have_their_own(
    box: Box,
) -> None:
    http = box.http("admin")
    await http.put("/v1/things/a", json={"count": 1})
    key = {"Idempotency-Key": "k"}
    await http.post("/v1/things/a/count", headers=key)
    assert (await http.post("/v1/things/a/count", headers=key, json={})).status_code == 422
    other = await box.http("admin", sub="somebody-else").post("/v1/things/a/count", headers=key)
    assert other.json()["count"] == 3
    assert (await http.post("/v1/things/b/count", headers=key)).status_code == 404


async def test_the_same_command_twenty_times_at_once_happens_once(box: Box) -> None:
    http = box.http("admin")
    await http.put("/v1/things/a", json={"count": 1})
    answers = await asyncio.gather(
        *(http.post("/v1/things/a/count", headers={"Idempotency-Key": "k"}) for _ in range(20))
    )
    assert {answer.text for answer in answers} == {'{"id":"a","count":2}'}
    async with box.db.begin() as session:
        assert (await sql(session, "SELECT count FROM thing"))[0][0] == 2


async def test_a_key_is_forgotten_after_a_day(box: Box) -> None:
    http = box.http("admin")
    await http.put("/v1/things/a", json={"count": 1})
    await http.post("/v1/things/a/count", headers={"Idempotency-Key": "k"})
    async with box.db.begin() as session:
        await sql(session, "UPDATE idempotency SET created_at = now() - interval '25 hours'")
    again = await http.post("/v1/things/a/count", headers={"Idempotency-Key": "k"})
    assert again.json()["count"] == 3


async def test_a_refused_command_changes_nothing_and_is_not_remembered(box: Box) -> None:
    http = box.http("admin")
    await http.put("/v1/things/a", json={"count": 100})
    assert (await http.post("/v1/things/a/count", headers={"Idempotency-Key": "k"})).status_code == 409
    await http.put("/v1/things/a", json={"count": 5})
    assert (await http.post("/v1/things/a/count", headers={"Idempotency-Key": "k"})).json()["count"] == 6


async def test_a_body_of_over_16_mib_is_refused(box: Box) -> None:
    declared = await box.http("admin").put("/v1/things/a", content=b"x" * (MAX_BODY + 1))
    assert declared.status_code == 413

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(18):
            yield b"x" * 1024 * 1024

    streamed = await box.http("admin").put("/v1/things/a", content=chunks())
    assert streamed.status_code == 413
    assert streamed.headers["content-type"] == "application/problem+json"


async def test_an_unexpected_error_tells_nothing_of_the_inside(box: Box) -> None:
    answer = await box.http("admin").post("/v1/things/break")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "inside of the service" not in answer.text


async def test_every_answer_has_a_request_id_and_keeps_a_good_one(box: Box) -> None:
    http = box.http("admin")
    mine = "01a20500-0000-7000-8000-000000000001"
    assert (await http.get("/v1/things", headers={"X-Request-Id": mine})).headers["x-request-id"] == mine
    assert (await http.get("/v1/things", headers={"X-Request-Id": "x\ty"})).headers["x-request-id"] != "x\ty"


async def test_an_api_key_works_until_it_is_revoked_and_is_kept_only_as_a_hash(box: Box) -> None:
    made = await create_api_key(box.db, sub="importer", role_names=["admin"])
    client = box.http()
    headers = {"Authorization": f"Bearer {made.key}"}
    assert (await client.get("/v1/things", headers=headers)).status_code == 200
    assert (
        await client.get("/v1/things", headers={"Authorization": f"Bearer {made.key}x"})
    ).status_code == 401
    async with box.db.begin() as session:
        (row,) = await sql(session, "SELECT api_key::text FROM api_key")
    assert made.key.rpartition("_")[2] not in row[0]
    assert await revoke_api_key(box.db, made.id)
    assert not await revoke_api_key(box.db, made.id)


async def test_a_draining_instance_is_unready_and_answers_once_more_on_each_connection(box: Box) -> None:
    before = await box.http("admin").get("/v1/things")
    assert "connection" not in before.headers
    box.runtime.stopping.set()
    ready = await box.http().get("/readyz")
    assert (ready.status_code, ready.json()["reasons"]) == (503, ["shutting down"])
    answer = await box.http("admin").get("/v1/things")
    assert (answer.status_code, answer.json()) == (200, before.json())
    assert answer.headers["connection"] == "close"


async def test_without_its_database_a_service_says_so_and_heals_itself() -> None:
    with temporary_postgres() as server:
        async with serving_things(server) as box:
            http = box.http("admin")
            assert (await http.get("/v1/things")).status_code == 200
            server.stop("immediate")
            answer = await http.get("/v1/things")
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) > 0
            ready = await http.get("/readyz")
            assert (ready.status_code, ready.json()["reasons"]) == (503, ["the database does not answer"])
            assert (await http.get("/healthz")).status_code == 200
            server.start()
            assert (await http.get("/readyz")).status_code == 200
            assert (await http.get("/v1/things")).status_code == 200


async def test_a_transient_error_of_the_database_is_told_from_a_wrong_statement(box: Box) -> None:
    assert is_transient(ConnectionRefusedError())
    assert not is_transient(ValueError())
    with pytest.raises(Exception, match="syntax") as wrong:
        async with box.db.begin() as session:
            await sql(session, "SELEC 1")
    assert not is_transient(wrong.value)
