import csv
import io

import pytest

from bonus.domain.payroll import COLUMNS, neutral, payroll_csv
from bonus.domain.run import calculate

from .builders import assigned, figure, plan, snapshot, standing


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_a_cell_that_starts_like_a_formula_is_text(cell: str) -> None:
    assert neutral(cell) == f"'{cell}"


def test_a_harmless_cell_stays_as_it_is() -> None:
    assert [neutral(cell) for cell in ("m1", "", "1-1")] == ["m1", "", "1-1"]


def test_a_field_with_a_comma_or_a_quote_survives() -> None:
    facts = {"nps": snapshot(figure("employee:m1", "45"), figure("employee:m1", "45", view="all"))}
    statements = calculate(plan(), standing(m1=[assigned()]), facts).statements
    text = payroll_csv('Q1, "late"', "r1", statements)
    header, row = csv.reader(io.StringIO(text, newline=""))
    assert tuple(header) == COLUMNS
    assert row[:5] == ["m1", "112500", "0", "EUR", 'Q1, "late"']
    assert row[-1] == "r1:m1:bonus-rules-1"
