"""One loop of the worker as a process of its own, to be killed: `python one_loop.py webhooks|mailing`."""

import asyncio
import sys

from closed_loop.mailing import mailing
from closed_loop.posting import webhooks
from closed_loop.settings import ClosedLoopSettings
from fairloop.db import Database
from fairloop.peers import peer_client
from fairloop.service import Runtime

LOOPS = {"webhooks": webhooks, "mailing": mailing}


async def main(name: str) -> None:
    settings = ClosedLoopSettings()  # from the environment
    db = Database(settings.database_url)
    await LOOPS[name](Runtime(settings=settings, db=db, peers=peer_client(settings)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
