"""`make contracts-check`: do the committed contracts keep what those of a base revision promised?

`python -m tests.contract.breaking [BASE]` compares the files as they lie here with those of the commit where this
work and BASE (default `origin/main`) part. One line for each thing that breaks; ends with status 1 when there is one.
"""

import sys

from tests.contract.breaking.events import broken_topics, broken_types
from tests.contract.breaking.rest import broken_calls
from tests.contract.breaking.revisions import (
    CHECKOUT,
    Documents,
    UnknownRevisionError,
    documents_here,
    documents_of,
    parted,
)

API = "docs/api"
EVENTS = "libs/common/schemas"
TOPICS = "asyncapi"


def broken(old: Documents, new: Documents) -> list[str]:
    """What breaks, a line each; the documents are by folder and name."""
    types = broken_types(old[EVENTS], new[EVENTS])
    lines = [f"event {breaking} (a new vN beside it may)" for breaking in types]
    for name, document in old[API].items():
        if name not in new[API]:
            lines.append(f"{API}/{name}.json: is removed")
        elif name == TOPICS:
            lines += [f"topic {breaking}" for breaking in broken_topics(document, new[API][name])]
        else:
            lines += [f"{name} {breaking}" for breaking in broken_calls(document, new[API][name])]
    return lines


def main(arguments: list[str]) -> int:
    base = arguments[0] if arguments else "origin/main"
    folders = (API, EVENTS)
    try:
        commit = parted(base, CHECKOUT)
    except UnknownRevisionError as error:
        print(error, file=sys.stderr)
        return 2
    old = documents_of(commit, folders, CHECKOUT)
    lines = broken(old, documents_here(folders, CHECKOUT))
    print("\n".join(lines), end="\n" if lines else "")
    compared = sum(map(len, old.values()))
    print(f"contracts: {compared} documents of {base} ({commit[:9]}), {len(lines)} promises broken")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
