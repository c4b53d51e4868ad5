"""`fairloop doctor`: look at this installation, or at another one by its addresses, and say what to do."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from fairloop.auth import Role, mint_token
from fairloop.cli.data_version import is_ours
from fairloop.cli.installation import SERVICE_NAMES, SERVICES
from fairloop.cli.reach import as_started, wiring_of
from fairloop.cli.terminal import console, here, in_plain_words
from fairloop.doctor.asking import Place
from fairloop.doctor.examining import Subject, examine
from fairloop.doctor.table import shown
from fairloop.embedded import EmbeddedError

TOKEN_SECONDS = 300


def doctor(
    target: Annotated[
        list[str] | None,
        typer.Option(
            help="The address of a process of another installation, API or worker; once for each. "
            "SERVICE=URL says whose it should be.",
            show_default=False,
        ),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(envvar="FAIRLOOP_TOKEN", help="An administrator's, of the target.", show_default=False),
    ] = None,
    log: Annotated[
        str | None,
        typer.Option(envvar="FAIRLOOP_LOG_URL", help="The target's event log.", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Check an installation from outside. Status 0: all fine, 1: something to look at, 2: something is broken."""
    with in_plain_words(status=2):
        if target:
            subject = Subject(places=places_of(target), token=token, log_url=log, data=None)
        else:
            subject = this_installation()
        report = asyncio.run(examine(subject))
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(report)).decode())
    else:
        console.print(shown(report), soft_wrap=False)
    raise typer.Exit(report.status)


def places_of(targets: Sequence[str]) -> list[Place]:
    """From URL or SERVICE=URL. Raises BadParameter."""
    places = []
    for target in targets:
        service, _, url = (
            target.rpartition("=") if target.partition("=")[0] in SERVICE_NAMES else ("", "", target)
        )
        if not url.startswith(("http://", "https://")):
            raise typer.BadParameter(f"{target!r} is no address", param_hint="--target")
        places.append(Place(url.rstrip("/"), service or None))
    return places


def this_installation() -> Subject:
    """What its folder tells; where nothing was started yet there is nothing but its ports. Raises EmbeddedError."""
    installation = as_started(here())
    places = [Place(installation.url(service), service.name) for service in SERVICES]
    data: Path | None = installation.data if is_ours(installation.data) else None
    try:
        wiring = wiring_of(installation)
    except EmbeddedError:
        return Subject(places=places, token=None, log_url=None, data=data)
    token = mint_token(
        wiring.vault.token_private_key, sub="doctor", role_names=[Role.ADMIN], valid_seconds=TOKEN_SECONDS
    )
    return Subject(places=places, token=token, log_url=wiring.log_url, data=data)
