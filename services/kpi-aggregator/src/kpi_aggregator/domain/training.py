"""Fits and tries a classifier of interactions: promoter, passive or detractor. Slow to load, so loaded when used."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import OrdinalEncoder
from threadpoolctl import threadpool_limits

from kpi_aggregator.domain.prediction import Scalar, Seen, Shares

FOLDS = 10
_RARE = 20
_CATEGORIES = 40
"""Of one feature; those seen less than _RARE times, and what is beyond the most frequent, are taken together."""


class Trained(NamedTuple):
    """What models that had not seen an answer predict for it, and their mean for the rest; `by_part`: see
    `prediction.whole_base`."""

    out_of_fold: list[Shares]
    rest: list[Shares]
    by_part: list[float]


def train(answered: Sequence[Seen], rest: Sequence[Seen]) -> Trained:
    """Ten models, each fitted and calibrated (Platt) without one tenth of the answers.

    The same input gives the same output. Takes seconds for tens of thousands, on one core, and touches nothing but
    its arguments: meant for a thread.
    """
    with threadpool_limits(1):  # several threads on few cores wait for each other longer than they work
        return _train(answered, rest)


def _train(answered: Sequence[Seen], rest: Sequence[Seen]) -> Trained:
    table, categorical = _table([one.features for one in (*answered, *rest)])
    known, unknown = table[: len(answered)], table[len(answered) :]
    classes = [one.answered for one in answered]
    out_of_fold: list[Shares] = [(0.0, 0.0, 0.0)] * len(answered)
    by_model: list[Any] = []
    for fitted_on, left_out in StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(known, classes):
        model = _classifier(categorical).fit(known[fitted_on], [classes[index] for index in fitted_on])
        for index, shares in zip(left_out, model.predict_proba(known[left_out]), strict=True):
            out_of_fold[index] = _shares(shares)
        if rest:
            by_model.append(model.predict_proba(unknown))
    mean = [_shares(shares) for shares in sum(by_model) / FOLDS] if rest else []
    by_part = [float((shares[:, 0] - shares[:, 2]).mean()) for shares in by_model]
    return Trained(out_of_fold, mean, by_part or [0.0])


def _classifier(categorical: Sequence[bool]) -> Any:
    """Boosted trees, small ones, because what tells something is often two attributes together."""
    trees = HistGradientBoostingClassifier(
        max_iter=40,
        max_leaf_nodes=8,
        categorical_features=list(categorical),
        early_stopping=False,
        random_state=0,
    )
    return CalibratedClassifierCV(trees, method="sigmoid", cv=3)


def _table(rows: Sequence[Any]) -> tuple[Any, list[bool]]:
    """One column a feature, numbers as they are, anything else as the number of its category; which are categories."""
    columns, categorical = [], []
    for name in sorted({name for row in rows for name in row}):
        values = [row.get(name) for row in rows]
        if all(_is_number(value) for value in values):
            columns.append(np.array([np.nan if value is None else float(value) for value in values]))
            categorical.append(False)
            continue
        encoder = OrdinalEncoder(min_frequency=_RARE, max_categories=_CATEGORIES)
        texts = np.array([["" if value is None else str(value)] for value in values], dtype=object)
        columns.append(encoder.fit_transform(texts)[:, 0])
        categorical.append(True)
    return np.column_stack(columns), categorical


def _is_number(value: Scalar) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _shares(probabilities: Any) -> Shares:
    promoter, passive, detractor = (round(float(one), 6) for one in probabilities)
    return promoter, passive, detractor
