#!/usr/bin/env python3
"""Writes golden.json: inputs, and what scikit-learn and fairlearn make of them.

    python3 -m venv venv && venv/bin/pip install fairlearn scikit-learn
    venv/bin/python make_golden.py > golden.json

Deterministic for given versions, which it records.
"""
import json

import fairlearn
import fairlearn.metrics as fair
import numpy as np
import sklearn
from sklearn import metrics

rng = np.random.default_rng(20240229)

FAIRNESS = ["demographic_parity_difference", "demographic_parity_ratio", "equal_opportunity_difference",
            "equal_opportunity_ratio", "equalized_odds_difference", "equalized_odds_ratio"]


def fairness(labels, predicted, groups, method):
    out = {name: float(getattr(fair, name)(labels, predicted, sensitive_features=groups, method=method))
           for name in FAIRNESS}
    frame = fair.MetricFrame(metrics=fair.false_positive_rate, y_true=labels, y_pred=predicted,
                             sensitive_features=groups)
    out["false_positive_rate_difference"] = float(frame.difference(method=method))
    out["false_positive_rate_ratio"] = float(frame.ratio(method=method))
    return out


def case(rows, names, shares, threshold, shift):
    groups = rng.choice(names, size=rows, p=shares)
    labels = (rng.random(rows) < .4).astype(int)
    place = np.array([names.index(g) for g in groups])
    scores = np.round(1 / (1 + np.exp(-(rng.normal(size=rows) + 1.2 * (labels - .5) + shift * place))), 3)
    predicted = (scores >= threshold).astype(int)
    return dict(
        labels=labels.tolist(), scores=scores.tolist(), groups=groups.tolist(), threshold=threshold,
        performance=dict(
            accuracy=metrics.accuracy_score(labels, predicted),
            balanced_accuracy=metrics.balanced_accuracy_score(labels, predicted),
            f1=metrics.f1_score(labels, predicted), precision=metrics.precision_score(labels, predicted),
            true_positive_rate=metrics.recall_score(labels, predicted),
            false_positive_rate=fair.false_positive_rate(labels, predicted),
            selection_rate=fair.selection_rate(labels, predicted), auc=metrics.roc_auc_score(labels, scores),
            brier=metrics.brier_score_loss(labels, scores), log_loss=metrics.log_loss(labels, scores)),
        between_groups=fairness(labels, predicted, groups, "between_groups"),
        to_overall=fairness(labels, predicted, groups, "to_overall"))


print(json.dumps(dict(
    versions=dict(fairlearn=fairlearn.__version__, sklearn=sklearn.__version__, numpy=np.__version__),
    cases=[case(60, ["a", "b"], [.5, .5], .5, .4), case(200, ["f", "m"], [.6, .4], .35, 0),
           case(300, ["p", "q", "r", "s"], [.4, .3, .2, .1], .5, -.3)]), separators=(",", ":"),
    default=float))
