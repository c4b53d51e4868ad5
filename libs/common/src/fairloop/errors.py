"""Business errors that know their HTTP status; `fairloop.web.problems` renders them as problem+json."""

from typing import ClassVar


class ProblemError(Exception):
    """An answer other than success. `detail` is for the caller to read."""

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Invalid(ProblemError):
    """The request cannot be understood or breaks a rule; `errors` points at the fields (JSON pointers)."""

    status = 422
    title = "Invalid request"

    def __init__(
        self, detail: str, *, pointer: str | None = None, errors: list[tuple[str, str]] | None = None
    ) -> None:
        super().__init__(detail)
        self.errors = errors if errors is not None else [(pointer, detail)] if pointer else []


class Unauthorized(ProblemError):
    """Nobody we know is calling."""

    status = 401
    title = "Unauthorized"


class Forbidden(ProblemError):
    """The caller is known and may not do this."""

    status = 403
    title = "Forbidden"


class NotFound(ProblemError):
    """No such thing, or nothing the caller may know of."""

    status = 404
    title = "Not found"


class Conflict(ProblemError):
    """Not possible in the present state."""

    status = 409
    title = "Conflict"


class TooLarge(ProblemError):
    """The body is larger than this route takes."""

    status = 413
    title = "Body too large"


class Unavailable(ProblemError):
    """Try again later: overload, or the database is away."""

    status = 503
    title = "Temporarily unavailable"

    def __init__(self, detail: str, *, retry_after: int = 2) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
