"""`python -m fairloop api | worker | all | migrate | …`: the command line of the service FAIRLOOP_SERVICE names.

What an image starts with: the images of all services are made alike and differ in that variable.
"""

import os
import sys
from importlib import import_module

from fairloop.cli.installation import SERVICE_NAMES, service_named
from fairloop.process import run


def main() -> None:
    name = os.environ.get("FAIRLOOP_SERVICE", "")
    if name not in SERVICE_NAMES:
        sys.exit(f"FAIRLOOP_SERVICE is {name!r}; it must be one of {', '.join(SERVICE_NAMES)}")
    run(import_module(f"{service_named(name).package}.main").service)


if __name__ == "__main__":
    main()
