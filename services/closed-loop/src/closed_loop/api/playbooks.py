"""How customers of each track are followed up. A change counts at once, for open cases too."""

from sqlalchemy.ext.asyncio import AsyncSession

from closed_loop.api.playbook_body import PlaybookIn, PlaybookOut
from closed_loop.domain.alerts import Track
from closed_loop.service.documents import current_document, newest, put_document
from closed_loop.tables import PlaybookDocument
from fairloop.auth import EVERYBODY, Role, roles
from fairloop.errors import NotFound
from fairloop.web import Listing, Now, Paging, Routes, Session, listing

routes = Routes(tag="rules")


@routes.put("/v1/playbooks/{track}", allow=roles(Role.ADMIN, Role.OPS))
async def put_playbook(track: Track, body: PlaybookIn, session: Session, now: Now) -> PlaybookOut:
    document = body.model_dump(mode="json")
    return _playbook(await put_document(session, PlaybookDocument, track, document, now=now))


@routes.get("/v1/playbooks/{track}", allow=EVERYBODY)
async def get_playbook(track: Track, session: Session) -> PlaybookOut:
    return await playbook_of(session, track)


@routes.get("/v1/playbooks", allow=EVERYBODY)
async def list_playbooks(session: Session, page: Paging) -> Listing[PlaybookOut]:
    statement = newest(PlaybookDocument)
    return await listing(session, statement, by=[PlaybookDocument.id], page=page, to=_playbook)


async def playbook_of(session: AsyncSession, track: Track) -> PlaybookOut:
    """The playbook in force. Raises NotFound."""
    row = await current_document(session, PlaybookDocument, track)
    if row is None:
        raise NotFound(f"There is no playbook for a {track}.")
    return _playbook(row)


def _playbook(row: PlaybookDocument) -> PlaybookOut:
    return PlaybookOut.model_validate({**row.document, "track": row.id, "version": row.version})
