"""What the API keeps between requests: the keyring, the connections read, and the group commit."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

import structlog

from fairloop.db import is_transient
from fairloop.errors import ProblemError, Unauthorized, Unavailable
from fairloop.service import Runtime
from fairloop.standard_webhooks import is_signed
from survey_intake.domain.reading import read_delivery
from survey_intake.group_commit import GroupCommit
from survey_intake.keyring import Keyring
from survey_intake.line import Line
from survey_intake.metrics import BATCH
from survey_intake.service.arriving import arrive
from survey_intake.service.connections import ConnectionCache, ConnectionConfig
from survey_intake.service.deliveries import Delivery, Receipt, Understood, prepare
from survey_intake.service.posting import Posted, no_connection, understood
from survey_intake.service.receiving import receive
from survey_intake.service.saving import Raced
from survey_intake.settings import IntakeSettings

log = structlog.get_logger()

_ATTEMPTS = 3
_WEIGHT_OF_AN_ITEM = 2048  # bytes in memory beside the body, roughly


class NoSuchConnectionError(Exception):
    """What it means depends on who asks: a platform must try again, a program must be told."""


class Intake:
    """Takes deliveries in. Every answer it gives is about something committed."""

    def __init__(self, runtime: Runtime) -> None:
        settings: IntakeSettings = runtime.settings
        self.settings = settings
        self.keyring = Keyring.of(settings)
        self.connections = ConnectionCache(runtime.db, self.keyring.vault)
        self._db = runtime.db
        self._clock = runtime.clock
        self._line = Line(runtime.db.url)
        self._arrivals: GroupCommit[Understood, Receipt | None] = GroupCommit(
            self._write_new, capacity=settings.queue_bytes, max_items=settings.batch_items, heals=_heals
        )
        self._others: GroupCommit[Delivery, Receipt | None] = GroupCommit(
            self._write, capacity=settings.queue_bytes, max_items=settings.batch_items, heals=_heals
        )

    async def webhook(self, connection_id: str, headers: Mapping[str, str], body: bytes) -> Receipt:
        """A platform's delivery. Raises Unauthorized, Unavailable or NoSuchConnectionError."""
        now = self._clock()

        def checked(config: ConnectionConfig) -> Delivery | None:
            if not is_authentic(config, headers, body, now):
                raise Unauthorized("The signature is missing, wrong, or more than five minutes old.")
            reading = read_delivery(body, platform=config.platform, mapping=config.mapping, zone=config.zone)
            return prepare(
                reading, body, config, received_at=now, day_zone=self.settings.zone, keyring=self.keyring
            )

        return await self._store(connection_id, checked)

    async def post(self, posted: Posted) -> Receipt:
        """A response from a program we know. Raises Invalid or Unavailable."""
        now = self._clock()
        day_zone, keyring = self.settings.zone, self.keyring
        try:
            return await self._store(
                posted.connection,
                lambda config: understood(posted, config, now=now, day_zone=day_zone, keyring=keyring),
            )
        except NoSuchConnectionError as error:
            raise no_connection(posted) from error

    async def _store(
        self, connection_id: str, make: Callable[[ConnectionConfig], Delivery | None]
    ) -> Receipt:
        """With the connection last read. One that was changed since is read again: nobody is refused, and
        nothing is stored, by an outdated one."""
        held = self.connections.held(connection_id)
        for _ in range(_ATTEMPTS):
            config = held or await self.connections.read(connection_id)
            if config is None:
                raise NoSuchConnectionError(connection_id)
            try:
                delivery = make(config)
            except ProblemError:
                if held is None:
                    raise
                held = None
                continue
            if delivery is None:
                return Receipt("ignored")
            weight = len(delivery.body) + _WEIGHT_OF_AN_ITEM
            receipt = None
            if isinstance(delivery, Understood):
                receipt = await self._arrivals.submit(delivery, weight=weight)
            receipt = receipt or await self._others.submit(delivery, weight=weight)
            if receipt is not None:
                return receipt
            held = None
        raise Unavailable("The connection is being changed; try again.", retry_after=1)

    async def _write(self, deliveries: Sequence[Delivery]) -> list[Receipt | None]:
        async def once() -> list[Receipt | None]:
            async with self._db.begin() as session:
                return await receive(session, deliveries, self.keyring.vault)

        return await self._persistently(once)

    async def _write_new(self, deliveries: Sequence[Understood]) -> list[Receipt | None]:
        return await self._persistently(lambda: arrive(self._line.fetch, deliveries, self.keyring.vault))

    async def _persistently(
        self, once: Callable[[], Awaitable[list[Receipt | None]]]
    ) -> list[Receipt | None]:
        """One transaction; tried again at once where that may help. A COMMIT whose answer was lost is no harm:
        the second try finds duplicates."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                async with asyncio.timeout(self.settings.write_seconds):
                    receipts = await once()
                _tell(receipts)
                return receipts
            except Exception as error:
                if attempt == _ATTEMPTS or isinstance(error, TimeoutError) or not _heals(error):
                    raise
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def closed(self) -> None:
        """Returns when nothing is left waiting."""
        await self._arrivals.drained()
        await self._others.drained()
        self._line.close()


def is_authentic(config: ConnectionConfig, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Unsigned deliveries pass only where the connection says so in words; a signature that is there must be right."""
    if config.unsigned and not (config.keys and "webhook-signature" in headers):
        return True
    return is_signed(headers, body, keys=config.keys, now=now)


def _tell(receipts: Iterable[Receipt | None]) -> None:
    """One line a commit, the responses by what became of them; undecided ones are told by who decides them."""
    told: dict[str, list[str | None]] = {}
    for receipt in receipts:
        if receipt is not None:
            known = receipt.response_id
            told.setdefault(receipt.outcome, []).append(None if known is None else str(known))
    if told:
        log.info("deliveries", **told)
        BATCH.observe(sum(map(len, told.values())))


def _heals(error: BaseException) -> bool:
    return isinstance(error, Raced) or is_transient(error)


@asynccontextmanager
async def opened(runtime: Runtime) -> AsyncIterator[Intake]:
    """The service's resource; at the end nothing is left waiting."""
    intake = Intake(runtime)
    try:
        yield intake
    finally:
        await intake.closed()
