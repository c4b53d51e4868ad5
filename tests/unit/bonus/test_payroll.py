import csv
import io

import pytest

from bonus.domain.payroll import COLUMNS, neutral, payroll_csv
from bonus.domain.settlement import Settled


@pytest.mark.fault(20)
@pytest.mark.parametrize("cell", ['=HYPERLINK("http://x")', "+1", "-1", "@x", "\tx", "\rx"])
def test_a_cell_that_starts_like_a_formula_is_text(cell: str) -> None:
    assert neutral(cell) == f"'{cell}"


def test_a_harmless_cell_stays_as_it_is() -> None:
    assert [neutral(cell) for cell in ("m1", "", "1-1")] == ["m1", "", "1-1"]


def test_a_field_with_a_comma_or_a_quote_survives() -> None:
    payouts = [Settled("m1", 112_500, 0)]
    text = payroll_csv(payouts, currency="EUR", period='Q1, "late"', run="r1", rule_version="bonus-rules-1")
    header, row = csv.reader(io.StringIO(text, newline=""))
    assert tuple(header) == COLUMNS
    assert row[:5] == ["m1", "112500", "0", "EUR", 'Q1, "late"']
    assert row[-1] == "r1:m1:bonus-rules-1"
