"""Shrinkage towards peers or a published prior."""

import random

import pytest

from kpi_aggregator.domain.contribution import WHOLE
from kpi_aggregator.domain.kpi import SCALES
from kpi_aggregator.domain.reliability import Prior, prior_of, shrink
from kpi_aggregator.domain.sums import NOTHING, Sums, counted

PUBLISHED = Prior(mean=40, sd_between=15, sd_within=80)
NPS = SCALES["nps"]


def answers(promoters: int, passives: int, detractors: int) -> Sums:
    sums = NOTHING
    for score, times in ((10, promoters), (7, passives), (3, detractors)):
        for _ in range(times):
            sums = sums.plus(counted(NPS, score, WHOLE))
    return sums


def test_twenty_answers_at_45_against_the_published_prior() -> None:
    shrunk = shrink(45, 20, PUBLISHED)

    assert round(shrunk.reliability, 4) == 0.4128
    assert round(shrunk.score, 2) == 42.06


def test_67_answers_make_a_score_reliable() -> None:
    assert shrink(45, 67, PUBLISHED).reliability >= 0.7 > shrink(45, 66, PUBLISHED).reliability


def test_no_spread_at_all_says_nothing_about_anybody() -> None:
    assert shrink(45, 20, Prior(40, 0, 0)).reliability == 0
    assert shrink(45, 20, Prior(40, 0, 0)).score == 40


def test_nine_peers_are_too_few_to_estimate_from() -> None:
    prior = prior_of([answers(5, 3, 2)] * 9, factor=100, published=PUBLISHED)

    assert (prior.mean, prior.sd_between, prior.sd_within, prior.source, prior.peers) == (
        40,
        15,
        80,
        "published",
        9,
    )


def test_peers_without_answers_are_no_peers() -> None:
    assert (
        prior_of([answers(5, 3, 2)] * 9 + [NOTHING] * 5, factor=100, published=PUBLISHED).source
        == "published"
    )


def test_ten_equal_peers_differ_by_nothing() -> None:
    prior = prior_of([answers(5, 3, 2)] * 10, factor=100, published=PUBLISHED)

    # within: variance 0.61 over 100 answers less ten means, 100·√(100·0.61/90)
    assert (prior.source, prior.mean, prior.sd_between) == ("peers", 30, 0)
    assert prior.sd_within == pytest.approx(82.3273, abs=1e-4)


def test_one_way_analysis_by_hand() -> None:
    peers = [answers(10, 0, 0)] * 5 + [answers(0, 10, 0)] * 5

    prior = prior_of(peers, factor=100, published=PUBLISHED)

    # nobody varies within; MSB = 10·10·0.25/9, n₀ = 10 → τ² = 0.27778
    assert (prior.mean, prior.sd_within) == (50, 0)
    assert prior.sd_between == pytest.approx(52.7046, abs=1e-4)


def test_the_estimate_finds_what_was_put_in() -> None:
    dice = random.Random(7)
    peers = []
    for _ in range(400):
        promoter = min(max(dice.gauss(0.6, 0.075), 0.0), 0.8)
        drawn = [dice.random() for _ in range(40)]
        promoters = sum(x < promoter for x in drawn)
        detractors = sum(x > 0.8 for x in drawn)
        peers.append(answers(promoters, 40 - promoters - detractors, detractors))

    prior = prior_of(peers, factor=100, published=PUBLISHED)

    assert prior.mean == pytest.approx(40, abs=2)
    assert prior.sd_between == pytest.approx(7.5, abs=3)
    assert prior.sd_within == pytest.approx(80, abs=2)
