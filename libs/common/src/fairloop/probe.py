"""`python -m fairloop.probe`: status 0 when this container's process is ready; else 1, and it says why.

For a container's health check, so it starts fast: nothing but the standard library is imported.
"""

import os
import sys
from http.client import HTTPConnection, HTTPException

SECONDS = 4.0
"""A process that has not answered by then is not ready."""


def readiness(port: int) -> tuple[bool, str]:
    """Whether `/readyz` on this machine answers 200, and what it said."""
    connection = HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        return answer.status == 200, answer.read().decode(errors="replace")
    except (OSError, HTTPException) as error:
        return False, str(error)
    finally:
        connection.close()


if __name__ == "__main__":
    ready, said = readiness(int(os.environ.get("FAIRLOOP_PORT") or 8000))
    print(said)
    sys.exit(0 if ready else 1)
