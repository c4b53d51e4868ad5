"""`FAULT=long`: outages as long as they are stated, every variant; without it, just enough to pass every timeout."""

import os

import pytest

LONG = os.environ.get("FAULT") == "long"

in_the_long_form = pytest.mark.skipif(not LONG, reason="only in `make fault`")
