"""The file for the payroll: RFC 4180, and harmless when opened in a spreadsheet."""

import csv
import io
from collections.abc import Iterable

from bonus.domain.settlement import Settled

COLUMNS = (
    "employee",
    "amount_minor",
    "held_minor",
    "currency",
    "period",
    "run",
    "rule_version",
    "payment_key",
)
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def payroll_csv(
    payouts: Iterable[Settled], *, currency: str, period: str, run: str, rule_version: str
) -> str:
    """One line a payee: what to pay now, and what is held.

    `payment_key` is the same for every delivery of the same payment, so that it is paid once.
    """
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\r\n")
    rows.writerow(COLUMNS)
    for one in payouts:
        key = f"{run}:{one.employee}:{rule_version}"
        amounts = (str(one.payout - one.held), str(one.held), currency)
        cells = (one.employee, *amounts, period, run, rule_version, key)
        rows.writerow([neutral(cell) for cell in cells])
    return text.getvalue()


def neutral(cell: str) -> str:
    """A cell that a spreadsheet would read as a formula gets an apostrophe in front."""
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell
