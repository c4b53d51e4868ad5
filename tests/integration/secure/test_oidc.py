"""Tokens of an OIDC issuer, against one that is a process of its own."""

import asyncio
import base64
import hashlib
import hmac
import json
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest
import trustme
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.integration.secure.issuing import IssuerProcess, issuer_process
from tests.integration.web.conftest import serving_things

from fairloop.auth import Role
from fairloop.embedded import PostgresServer
from fairloop.errors import Unauthorized, Unavailable
from fairloop.oidc import ASK_AGAIN_SECONDS, FRESH_SECONDS, USABLE_SECONDS, Issuer
from fairloop.settings import ServiceSettings
from fairloop.testing import ENVIRONMENT
from fairloop.testing_kafka import free_ports


class SetClock:
    """Seconds, moved by hand."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def remote() -> Iterator[IssuerProcess]:
    with issuer_process() as running:
        yield running


@pytest.fixture
def issuer(remote: IssuerProcess, clock: SetClock) -> Issuer:
    return Issuer(remote.url, audience="fairloop", clock=clock)


async def refusal(issuer: Issuer, token: str) -> str:
    with pytest.raises(Unauthorized) as refused:
        await issuer.caller(token)
    return str(refused.value).lower()


def unsigned(claims: dict[str, object], *, key: bytes | None = None, **header: str) -> str:
    """A token by hand: without a signature, or with a symmetric one."""

    def part(content: bytes) -> bytes:
        return base64.urlsafe_b64encode(content).rstrip(b"=")

    content = part(json.dumps(header).encode()) + b"." + part(json.dumps(claims).encode())
    signature = hmac.digest(key, content, hashlib.sha256) if key else b""
    return (content + b"." + part(signature)).decode()


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
async def test_a_token_of_the_issuer_says_who_calls(
    remote: IssuerProcess, issuer: Issuer, algorithm: str
) -> None:
    remote.rotate(algorithm)
    caller = await issuer.caller(
        remote.token("manager", "owner-of-the-house", employee_id="e-17", org_units=["north"])
    )
    assert caller.sub == "somebody"
    assert caller.roles == {Role.MANAGER}
    assert caller.employee_id == "e-17"
    assert caller.org_units == {"north"}


async def test_what_the_issuer_did_not_sign_for_us_and_for_now_is_refused(
    remote: IssuerProcess, issuer: Issuer
) -> None:
    assert "audience" in await refusal(issuer, remote.token("admin", aud="payroll"))
    assert "aud" in await refusal(issuer, remote.token("admin", aud=None))
    assert "issuer" in await refusal(issuer, remote.token("admin", iss="http://localhost:1"))
    assert "expired" in await refusal(issuer, remote.token("admin", expires=-31, issued=-400))
    assert "not yet valid" in await refusal(issuer, remote.token("admin", nbf=time.time() + 40))
    assert "not yet valid" in await refusal(issuer, remote.token("admin", issued=40))
    assert "exp" in await refusal(issuer, remote.token("admin", exp=None))
    assert "sub" in await refusal(issuer, remote.token("admin", sub=None))
    assert "cannot be read" in await refusal(issuer, remote.token(roles="admin"))
    assert "cannot be read" in await refusal(issuer, remote.token("admin", org_units=[7]))
    for noise in ("", "a.b.c", "x" * 5000):
        await refusal(issuer, noise)


async def test_clocks_may_differ_by_the_leeway_and_no_more(remote: IssuerProcess, clock: SetClock) -> None:
    issuer = Issuer(remote.url, audience="fairloop", leeway=60, clock=clock)
    for token in (
        remote.token("ops", expires=-50, issued=-400),
        remote.token("ops", issued=50),
        remote.token("ops", nbf=time.time() + 50),
    ):
        assert (await issuer.caller(token)).roles == {Role.OPS}
    await refusal(issuer, remote.token("ops", expires=-70, issued=-400))


async def test_an_unsigned_token_is_refused_and_so_is_the_public_key_as_a_shared_secret(
    remote: IssuerProcess, issuer: Issuer
) -> None:
    good = remote.token("admin")
    claims = jwt.decode(good, options={"verify_signature": False})
    kid = jwt.get_unverified_header(good)["kid"]
    await issuer.caller(good)
    published = remote.http.get(f"{remote.url}/keys").json()["keys"][0]
    pem = jwt.PyJWK(published).key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for token in (
        unsigned(claims, alg="none", typ="JWT"),
        unsigned(claims, alg="none", typ="JWT", kid=kid),
        unsigned(claims, alg="None", typ="JWT", kid=kid),
        unsigned(claims, alg="RS256", typ="JWT", kid=kid),
        unsigned(claims, key=pem, alg="HS256", typ="JWT", kid=kid),
        good[: good.rindex(".") + 1],
    ):
        await refusal(issuer, token)


async def test_a_secret_among_the_published_keys_signs_nothing(remote: IssuerProcess, issuer: Issuer) -> None:
    secret = b"a secret that was published by mistake"
    jwk = {"kty": "oct", "kid": "shared", "k": base64.urlsafe_b64encode(secret).rstrip(b"=").decode()}
    remote.do("publish", key=jwk)
    claims = jwt.decode(remote.token("admin"), options={"verify_signature": False})
    await issuer.caller(remote.token("admin"))
    await refusal(issuer, unsigned(claims, key=secret, alg="HS256", typ="JWT", kid="shared"))


async def test_a_key_stands_for_its_own_signatures_only(remote: IssuerProcess, issuer: Issuer) -> None:
    first = "RS256-0"
    second = remote.rotate("RS256")
    await issuer.caller(remote.token("admin", kid=second))
    assert "signature" in await refusal(issuer, remote.token("admin", kid=second, claimed_kid=first))


async def test_a_token_that_names_no_key_is_by_the_only_one_or_by_nobodys(
    remote: IssuerProcess, issuer: Issuer, clock: SetClock
) -> None:
    token = remote.token("admin", claimed_kid="")
    assert "kid" not in jwt.get_unverified_header(token)
    await issuer.caller(token)
    remote.rotate()
    clock.now += ASK_AGAIN_SECONDS
    await issuer.caller(remote.token("admin"))
    await refusal(issuer, token)


async def test_a_new_key_counts_at_once_and_a_withdrawn_one_for_minutes_at_most(
    remote: IssuerProcess, issuer: Issuer, clock: SetClock
) -> None:
    old = remote.token("admin")
    await issuer.caller(old)
    clock.now += ASK_AGAIN_SECONDS
    remote.rotate()
    new = remote.token("admin")
    await issuer.caller(new)
    await issuer.caller(old)
    assert remote.asked_for_keys() == 2

    remote.do("withdraw", kid="RS256-0")
    clock.now += FRESH_SECONDS + 1
    await issuer.caller(new)  # and meanwhile the keys are asked for
    await settled(issuer)
    await refusal(issuer, old)
    await issuer.caller(new)
    assert remote.asked_for_keys() == 3


async def settled(issuer: Issuer) -> None:
    """Until the question that is under way has its answer: a token of an unknown key waits for it."""
    with pytest.raises(Unauthorized):
        await issuer.caller(unsigned({"iss": issuer.url}, alg="RS256", kid="of-nobody"))


async def test_made_up_keys_do_not_make_us_a_burden_to_the_issuer(
    remote: IssuerProcess, issuer: Issuer, clock: SetClock
) -> None:
    good = remote.token("admin")
    made_up = [remote.token("admin", claimed_kid=f"made-up-{n}") for n in range(40)]
    for _ in range(3):
        answers = await asyncio.gather(
            *(issuer.caller(token) for token in [good, *made_up, good]), return_exceptions=True
        )
        assert [type(answer).__name__ for answer in answers] == ["Caller", *["Unauthorized"] * 40, "Caller"]
    assert remote.asked_for_keys() == 1
    clock.now += ASK_AGAIN_SECONDS
    await asyncio.gather(*(issuer.caller(token) for token in made_up), return_exceptions=True)
    assert remote.asked_for_keys() == 2


async def test_without_the_issuer_known_keys_serve_for_a_day(
    remote: IssuerProcess, issuer: Issuer, clock: SetClock
) -> None:
    good, of_new_key = remote.token("admin"), remote.token("admin", claimed_kid="new")
    await issuer.caller(good)
    remote.kill()
    clock.now += FRESH_SECONDS + 1
    assert (await issuer.caller(good)).roles == {Role.ADMIN}
    with pytest.raises(Unavailable):  # it may be good: the caller shall come again
        await issuer.caller(of_new_key)
    clock.now += USABLE_SECONDS
    with pytest.raises(Unavailable):
        await issuer.caller(good)


async def test_an_issuer_that_comes_late_is_found(clock: SetClock) -> None:
    [port] = free_ports(1)
    issuer = Issuer(f"http://localhost:{port}", audience="fairloop", clock=clock)
    made_up = unsigned({"iss": issuer.url}, alg="RS256", kid="RS256-0")
    with pytest.raises(Unavailable) as refused:
        await issuer.caller(made_up)
    assert refused.value.retry_after == ASK_AGAIN_SECONDS
    with issuer_process(port=port) as remote:
        clock.now += ASK_AGAIN_SECONDS
        assert (await issuer.caller(remote.token("finance"))).roles == {Role.FINANCE}


async def test_an_issuer_that_hangs_holds_nobody_else_up(remote: IssuerProcess, clock: SetClock) -> None:
    issuer = Issuer(remote.url, audience="fairloop", patience=0.4, clock=clock)
    good, of_new_key = remote.token("admin"), remote.token("admin", claimed_kid="new")
    await issuer.caller(good)
    clock.now += ASK_AGAIN_SECONDS
    remote.freeze()
    waiting = asyncio.create_task(issuer.caller(of_new_key))
    answered = 0
    while not waiting.done():  # every turn of the loop is another request that is answered meanwhile
        await issuer.caller(good)
        answered += 1
        await asyncio.sleep(0)
    assert answered > 100
    with pytest.raises(Unavailable):
        await waiting


async def test_an_issuer_that_calls_itself_otherwise_or_sends_us_elsewhere_is_not_believed(
    remote: IssuerProcess, issuer: Issuer, clock: SetClock
) -> None:
    token = remote.token("admin")
    for said in (
        {"issuer": "https://login.example.org"},
        {"jwks_uri": "http://keys.example.org/keys"},
        {"jwks_uri": f"{remote.url}/nothing-here"},
    ):
        remote.do("say", **said)
        with pytest.raises(Unavailable):
            await issuer.caller(token)
        clock.now += ASK_AGAIN_SECONDS
    remote.do("say")
    await issuer.caller(token)


def test_an_issuer_without_tls_is_only_trusted_on_this_machine() -> None:
    with pytest.raises(ValueError, match="neither https"):
        Issuer("http://login.example.org", audience="fairloop")
    with pytest.raises(ValueError, match="whose tokens count"):
        ServiceSettings.model_validate({**ENVIRONMENT, "token_public_key": ""})


async def test_an_issuer_is_known_by_the_authority_of_its_certificate(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(tmp_path / "issuer.pem")
    trust = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    with issuer_process(certificate=tmp_path / "issuer.pem", trust=trust) as remote:
        token = remote.token("admin")
        issuer = Issuer(remote.url, audience="fairloop", ca_file=str(tmp_path / "ca.pem"))
        assert (await issuer.caller(token)).roles == {Role.ADMIN}
        with pytest.raises(Unavailable):
            await Issuer(remote.url, audience="fairloop").caller(token)


async def test_an_api_takes_tokens_of_the_issuer_beside_our_own(
    postgres: PostgresServer, remote: IssuerProcess
) -> None:
    async with serving_things(postgres, env={"oidc_issuer": remote.url, "oidc_audience": "things"}) as box:

        async def status(token: str) -> int:
            bearer = {"Authorization": f"Bearer {token}"}
            return (await box.http().get("/v1/things", headers=bearer)).status_code

        assert await status(remote.token("admin", aud="things")) == 200
        assert await status(remote.token("admin", aud=["other", "things"])) == 200
        assert await status(remote.token("employee", aud="things")) == 403
        assert await status(remote.token("admin")) == 401
        assert await status(remote.token("admin", aud="things", iss="https://login.example.org")) == 401
        assert (await box.http("admin").get("/v1/things")).status_code == 200
        remote.kill()
        assert await status(jwt.encode({"iss": remote.url}, "x" * 32, headers={"kid": "k"})) == 401


async def test_with_an_issuer_alone_no_token_of_our_own_counts(
    postgres: PostgresServer, remote: IssuerProcess
) -> None:
    async with serving_things(postgres, env={"oidc_issuer": remote.url, "token_public_key": ""}) as box:
        bearer = {"Authorization": f"Bearer {remote.token('admin')}"}
        assert (await box.http().get("/v1/things", headers=bearer)).status_code == 200
        assert (await box.http("admin").get("/v1/things")).status_code == 401
