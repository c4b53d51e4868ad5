"""How the baselines are served: on the event loop and with the garbage collection of `fairloop.serve`."""

from typing import Any

import uvicorn

from fairloop.serve import run_settled


def serve_baseline(app: Any, port: int) -> None:
    """Until the process is killed, by uvicorn as it comes: without its log, with our backlog."""
    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, log_config=None, access_log=False, server_header=False, backlog=4096
    )
    run_settled(uvicorn.Server(config).serve())
