"""A stand-in for a service, so that the launcher is tested by itself: `python stand_in.py <package> <command>`.

`STAND_IN_FAILS=bonus:migrate` lets that command of that package fail.
"""

import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

METRICS = """\
# TYPE fairloop_consumer_lag gauge
fairloop_consumer_lag{service="x",topic="t",partition="0"} 3.0
fairloop_consumer_lag{service="x",topic="t",partition="1"} 4.0
"""


class Answers(BaseHTTPRequestHandler):
    """/environment tells what the service was given, so that a test can check the wiring."""

    def do_GET(self) -> None:
        bodies = {
            "/readyz": json.dumps({"status": "ready", "reasons": []}),
            "/metrics": METRICS,
            "/environment": json.dumps({k: v for k, v in os.environ.items() if k.startswith("FAIRLOOP_")}),
        }
        body = bodies[self.path].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def main(package: str, command: str, *rest: str) -> None:
    print(package, command, *rest, flush=True)
    if os.environ.get("STAND_IN_FAILS") == f"{package}:{command}":
        sys.exit(f"{package} has a reason to fail")
    if command == "all":
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        ThreadingHTTPServer(("127.0.0.1", int(os.environ["FAIRLOOP_PORT"])), Answers).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
