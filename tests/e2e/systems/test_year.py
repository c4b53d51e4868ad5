"""A tenth of the generated year, played by the command line: the API tells what was planted."""

import pytest
from tests.e2e.installation import Installation

pytestmark = pytest.mark.timeout(300)


def test_a_year_of_a_company_tells_the_planted_truth(installation: Installation) -> None:
    said = installation.fairloop("demo", "--year", "--scale", "0.1", "--seed", "11", "--ends", "2026-01-01")

    assert "2500 interactions, 600 answers" in said
    assert "all as planted" in said
