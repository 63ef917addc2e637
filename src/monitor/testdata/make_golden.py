#!/usr/bin/env python3
"""Writes golden.json: inputs, and what scipy and scikit-learn make of them.

    python3 -m venv venv && venv/bin/pip install scipy scikit-learn
    venv/bin/python make_golden.py > golden.json

Deterministic for given versions, which it records. The population stability index is computed here from its definition,
with a share of 0 taken as 1e-4.
"""
import json

import numpy as np
import scipy
import sklearn
from scipy import stats
from scipy.spatial.distance import jensenshannon
from sklearn.isotonic import IsotonicRegression

rng = np.random.default_rng(20240229)


def psi(reference, current):
    r = np.maximum(np.array(reference) / sum(reference), 1e-4)
    c = np.maximum(np.array(current) / sum(current), 1e-4)
    return float(((r - c) * np.log(r / c)).sum())


def bins():
    cases = [([3, 2, 2], [1, 2, 3]), ([1000] * 10, [90, 110, 100, 130, 70, 95, 105, 100, 120, 80]),
             ([500, 300, 200, 0], [40, 35, 20, 5]), ([4000, 12, 0], [500, 0, 3])]
    return [dict(reference=r, current=c, psi=psi(r, c), jensen_shannon=float(jensenshannon(r, c, base=2)))
            for r, c in cases]


def distributions():
    out = []
    for first, second in [(rng.normal(size=400), rng.normal(.1, 1.1, size=150)), (rng.lognormal(size=300), rng.lognormal(.5, size=300))]:
        first, second = np.round(first, 6), np.round(second, 6)
        test = stats.ks_2samp(first, second, method="asymp")
        out.append(dict(first=first.tolist(), second=second.tolist(), statistic=float(test.statistic)))
    return out


def estimate():
    scores = np.round(rng.random(80), 3)
    labels = (rng.random(80) < scores ** 2).astype(int)
    window = np.round(rng.random(50) * .8, 3)
    p = IsotonicRegression(out_of_bounds="clip").fit(scores, labels).predict(window)
    yes = window >= .5
    tp, fp, fn, tn = p[yes].sum(), (1 - p[yes]).sum(), p[~yes].sum(), (1 - p[~yes]).sum()
    return dict(scores=scores.tolist(), labels=labels.tolist(), window=window.tolist(),
                figures=dict(expected_accuracy=(tp + tn) / 50, expected_precision=tp / (tp + fp),
                             expected_true_positive_rate=tp / (tp + fn),
                             expected_balanced_accuracy=(tp / (tp + fn) + tn / (tn + fp)) / 2,
                             selection_rate=float(yes.mean())))


print(json.dumps(dict(versions=dict(scipy=scipy.__version__, sklearn=sklearn.__version__, numpy=np.__version__),
                      bins=bins(), distributions=distributions(), estimate=estimate()), separators=(",", ":"),
                 default=float))
