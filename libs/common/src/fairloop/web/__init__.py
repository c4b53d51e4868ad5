"""HTTP: routes with roles, one transaction a request, problem documents, lists by cursor."""

from fairloop.web.models import Answer, Body, Instant, Listing, ProblemOut, Slug
from fairloop.web.paging import Page, Paging, listing
from fairloop.web.routes import Caller, Now, Routes, Session

__all__ = [
    "Answer",
    "Body",
    "Caller",
    "Instant",
    "Listing",
    "Now",
    "Page",
    "Paging",
    "ProblemOut",
    "Routes",
    "Session",
    "Slug",
    "listing",
]
