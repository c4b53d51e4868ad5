from importlib import import_module
from pathlib import Path

import pytest
from tests.bench.report import BEGIN, END, table, write_into
from tests.bench.rounds import Comparison, at_least, at_most, in_turns


@pytest.mark.parametrize("module", ["__main__", "bare", "counting_worker", "load", "plain"])
def test_every_program_of_the_benchmarks_can_be_imported(module: str) -> None:
    import_module(f"tests.bench.{module}")


def test_only_figures_of_the_same_round_are_divided_and_the_median_is_judged() -> None:
    faster = Comparison(5, "relay", [10, 40, 90], "/s", [1, 2, 3], at_least(20))
    cells = table([faster]).splitlines()[-1].split("|")
    assert [cell.strip() for cell in cells[3:9]] == [
        "40.0 /s",
        "2.00 /s",
        "**20.0**",
        "10.0–30.0",
        "≥ 20",
        "met",
    ]


def test_a_figure_without_a_baseline_is_judged_itself() -> None:
    slow = Comparison(8, "p99", [120, 130], "ms", target=at_most(40, "ms"))
    assert table([slow]).splitlines()[-1].endswith("| ≤ 40 ms | **missed** |")


def test_a_figure_without_a_target_is_only_shown() -> None:
    assert Comparison(3, "leanest", [1.0], "/s", [2.0]).cells()[-2:] == ("–", "")


async def test_every_second_round_goes_the_other_way_round() -> None:
    order: list[str] = []

    async def a(number: int) -> None:
        order.append(f"a{number}")

    async def b(number: int) -> None:
        order.append(f"b{number}")

    await in_turns(2, {"a": a, "b": b})
    assert order == ["a0", "b0", "b1", "a1"]


def test_only_what_is_between_the_marks_is_replaced(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write_into(page, "new")
    assert page.read_text() == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
