"""`fairloop access`: who may do what on the log and on the database server."""

import asyncio
from typing import Annotated

import typer

from fairloop.access.postgres import as_script
from fairloop.cli.installation import LOG_VARIABLE, SERVICES
from fairloop.cli.terminal import console, here, in_plain_words
from fairloop.embedded import EmbeddedError
from fairloop.log.port import LogUnavailableError

app = typer.Typer(
    no_args_is_help=True, help="What each service may do on Kafka and PostgreSQL, and nothing else."
)


@app.command()
def kafka(
    principal: Annotated[
        str, typer.Option(help="How the brokers call a service's user, {service} being its name.")
    ] = "User:{service}",
    apply: Annotated[
        bool, typer.Option("--apply", help="Add them on the brokers of FAIRLOOP_LOG_URL, the operator's own.")
    ] = False,
) -> None:
    """Print Kafka's ACLs, as a script for its kafka-acls.sh; or add them. None is taken away."""
    from fairloop.access import kafka as acls  # noqa: PLC0415 - aiokafka is slow to load

    wanted = [
        acl
        for service in SERVICES
        for acl in acls.acls_of(service.name, principal.replace("{service}", service.name))
    ]
    if not apply:
        for line in acls.as_commands(wanted):
            print(line)
        return
    with in_plain_words():
        url = here().environment.get(LOG_VARIABLE, "")
        if not url.startswith("kafka://"):
            raise EmbeddedError(f"{LOG_VARIABLE} must name the brokers, with credentials that may alter ACLs")
        try:
            asyncio.run(acls.apply(url, wanted))
        except (LogUnavailableError, ValueError) as error:
            raise EmbeddedError(f"the ACLs were not all added: {error}") from error
        console.print(f"{len(wanted)} ACLs are there.")


@app.command()
def postgres() -> None:
    """Print a script for psql that makes each service's role and database, closed to the others."""
    for line in as_script([service.package for service in SERVICES]):
        print(line)
