#!/usr/bin/env python3
"""Writes golden.json: inputs, and what other people's programs make of them.

    python3 -m venv venv && venv/bin/pip install scipy scikit-learn statsmodels xxhash
    venv/bin/python make_golden.py > golden.json

Deterministic for given versions, which it records. Figures that no library offers (DeLong's variance, the calibration
error, exact moments) are computed here from their definitions, by another way than the C++ takes.
"""
import json
import math
from fractions import Fraction

import numpy as np
import scipy
import sklearn
import statsmodels
import xxhash
from scipy import stats
from scipy.integrate import quad
from scipy.spatial.distance import jensenshannon
from sklearn import metrics
from sklearn.isotonic import IsotonicRegression
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

rng = np.random.default_rng(20240229)


def proportions():
    cases = [(0, 10, .95), (10, 10, .95), (1, 10, .95), (7, 20, .9), (81, 263, .95), (15, 148, .99), (123456, 987654, .95),
             (3, 5000000, .999)]
    out = []
    for count, rows, level in cases:
        of = lambda method: list(map(float, proportion_confint(count, rows, alpha=1 - level, method=method)))
        out.append(dict(successes=count, trials=rows, confidence=level, wilson=of("wilson"), clopper_pearson=of("beta"),
                        jeffreys=of("jeffreys")))
    return out


def differences():
    cases = [(56, 70, 48, 80, .95), (9, 10, 3, 10, .95), (10, 10, 0, 20, .95), (5, 56, 0, 29, .99), (700, 1000, 650, 1100, .9)]
    return [dict(first=[a, m], second=[b, n], confidence=level,
                 newcombe=list(map(float, confint_proportions_2indep(a, m, b, n, compare="diff", method="newcomb",
                                                                     alpha=1 - level))))
            for a, m, b, n, level in cases]


def means():
    out = []
    for rows in (2, 5, 40):
        x = rng.normal(3, 2, rows)
        low, high = stats.t.interval(.95, rows - 1, x.mean(), stats.sem(x))
        out.append(dict(mean=float(x.mean()), variance=float(x.var(ddof=1)), rows=rows, low=float(low), high=float(high)))
    return out


def samples():
    pairs = [
        ([1, 2, 3], [4, 5, 6]),
        ([1, 3, 5, 7], [2, 4, 6, 8, 10]),
        (rng.normal(0, 1, 40).round(6), rng.normal(.3, 1, 60).round(6)),
        (rng.normal(0, 1, 8).round(6), rng.normal(1, 1, 25).round(6)),
        (rng.integers(0, 6, 50), rng.integers(1, 7, 45)),
        (rng.normal(0, 1, 60).round(6), rng.normal(9, 1, 60).round(6)),
        ([2, 2, 2], [2, 2, 2, 2]),
    ]
    out = []
    for a, b in pairs:
        a, b = np.asarray(a, float), np.asarray(b, float)
        ks = stats.ks_2samp(a, b, method="exact")
        mw = stats.mannwhitneyu(a, b)
        deviation = a.std()
        out.append(dict(first=a.tolist(), second=b.tolist(), ks=[float(ks.statistic), float(ks.pvalue)],
                        mann_whitney=[float(mw.statistic), float(mw.pvalue)],
                        wasserstein_normed=float(stats.wasserstein_distance(a, b) / max(deviation, .001))))
    return out


def large_sample():
    """Too large to store: first[i] = frac(i g), second[i] = 1.02 frac(i r)."""
    g, r = 0.6180339887498949, 0.41421356237309515
    a = np.fmod(np.arange(12000) * g, 1)
    b = 1.02 * np.fmod(np.arange(9000) * r, 1)
    distance = stats.ks_2samp(a, b).statistic
    scaled = math.sqrt(12000 * 9000 / 21000) * distance
    return dict(g=g, r=r, ks=[float(distance), float(stats.kstwobign.sf(scaled))])


def counts():
    pairs = [([3, 2, 2], [1, 2, 3]), ([16, 18, 16, 14, 12, 12], [16, 16, 16, 16, 16, 8]), ([3, 2, 2, 0], [2, 1, 0, 3]),
             ([100, 0, 50], [90, 0, 70]), ([1000, 900, 10], [10, 9, 1])]
    out = []
    for r, c in pairs:
        r, c = np.asarray(r, float), np.asarray(c, float)
        p, q = r / r.sum(), c / c.sum()
        used = r + c > 0
        floored = lambda x: np.where(x == 0, 1e-4, x)[used]
        chi = stats.chi2_contingency(np.array([r, c])[:, used], correction=False)
        out.append(dict(reference=r.astype(int).tolist(), current=c.astype(int).tolist(),
                        psi=float(np.sum((floored(p) - floored(q)) * np.log(floored(p) / floored(q)))),
                        jensen_shannon=float(jensenshannon(p, q, base=2)),
                        hellinger=float(np.linalg.norm(np.sqrt(p) - np.sqrt(q)) / math.sqrt(2)),
                        chi_squared=[float(chi.statistic), float(chi.pvalue)]))
    return out


def corrections():
    p = [.01, .04, .03, .005, .55, .04, .9, .0001]
    return dict(p=p, holm=multipletests(p, method="holm")[1].tolist(), bh=multipletests(p, method="fdr_bh")[1].tolist())


def delong(labels, first, second):
    """Areas and their covariance matrix from all pairs of rows."""
    rows = []
    for scores in (first, second):
        x, y = scores[labels == 1], scores[labels == 0]
        wins = (x[:, None] > y[None, :]) + .5 * (x[:, None] == y[None, :])
        rows.append((wins.mean(axis=1), wins.mean(axis=0)))
    m, n = len(rows[0][0]), len(rows[0][1])
    v10, v01 = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    return v10.mean(axis=1), np.cov(v10) / m + np.cov(v01) / n


def binary():
    labels = rng.integers(0, 2, 60)
    first = np.clip(labels * .3 + rng.uniform(0, .7, 60), 0, 1).round(2)
    second = np.clip(labels * .1 + rng.uniform(0, .9, 60), 0, 1).round(2)
    areas, covariance = delong(labels, first, second)
    z = (areas[1] - areas[0]) / math.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    predicted = (first > .5).astype(int)
    bins = np.maximum(np.ceil(first * 10).astype(int) - 1, 0)
    ece = sum(abs(first[bins == b].sum() - labels[bins == b].sum()) for b in range(10)) / 60
    return dict(labels=labels.tolist(), first=first.tolist(), second=second.tolist(), predicted=predicted.tolist(),
                auc=[float(metrics.roc_auc_score(labels, s)) for s in (first, second)], covariance=covariance.tolist(),
                p_value=float(2 * stats.norm.sf(abs(z))), brier=float(metrics.brier_score_loss(labels, first)),
                log_loss=float(metrics.log_loss(labels, first)), calibration_error_10=float(ece),
                accuracy=float(metrics.accuracy_score(labels, predicted)),
                balanced_accuracy=float(metrics.balanced_accuracy_score(labels, predicted)),
                precision=float(metrics.precision_score(labels, predicted)),
                confusion=metrics.confusion_matrix(labels, predicted).ravel().tolist())


def multiclass():
    labels = rng.integers(0, 3, 30)
    scores = rng.dirichlet([1, 1, 1], 30).round(3)
    scores[:, 2] = (1 - scores[:, 0] - scores[:, 1]).round(3)
    predicted = scores.argmax(axis=1)
    return dict(labels=labels.tolist(), scores=scores.tolist(), predicted=predicted.tolist(),
                log_loss=float(metrics.log_loss(labels, scores, labels=[0, 1, 2])),
                balanced_accuracy=float(metrics.balanced_accuracy_score(labels, predicted)))


def isotonic():
    x = rng.uniform(0, 1, 50).round(2)
    y = (rng.uniform(0, 1, 50) < x).astype(float)
    model = IsotonicRegression(out_of_bounds="clip").fit(x, y)
    at = np.linspace(-.2, 1.2, 57)
    return dict(x=x.tolist(), y=y.tolist(), at=at.tolist(), fitted=model.predict(at).tolist())


def ratio_bootstrap():
    """The ratio of two groups' selection rates, over cells (group 0: no, yes; group 1: no, yes)."""
    cells = [60, 40, 45, 75]
    rows = np.repeat(np.arange(4), cells)

    def statistic(sample, axis=-1):
        count = [np.sum(sample == c, axis=axis) for c in range(4)]
        return (count[1] / (count[0] + count[1])) / (count[3] / (count[2] + count[3]))

    result = {m: stats.bootstrap((rows,), statistic, n_resamples=40000, method=m, batch=500, rng=np.random.default_rng(1),
                                 confidence_level=.95).confidence_interval for m in ("percentile", "BCa")}
    without = np.array([statistic(np.delete(rows, i)) for i in range(len(rows))])
    d = without.mean() - without
    return dict(cells=cells, value=float(statistic(rows)), acceleration=float((d**3).sum() / (6 * (d**2).sum()**1.5)),
                percentile=list(map(float, result["percentile"])), bca=list(map(float, result["BCa"])))


def moments():
    lists = [[.1] * 10, [1e16, 1, -1e16, 3], [1e308, 1e308, -1.5e308], [5e-324, -5e-324, 2.5e-310, 1e-308],
             [1e9 + .25, 1e9 + .5, 1e9 + .75], [0.0, -0.0, 0.0], [1e200, 1e-200, -1e200], rng.normal(5, 3, 100).tolist()]
    out = []
    for values in lists:
        exact = [Fraction(v) for v in values]
        mean = sum(exact) / len(exact)
        variance = sum((v - mean) ** 2 for v in exact) / (len(exact) - 1)
        try:
            variance = float(variance)
        except OverflowError:
            variance = None
        out.append(dict(values=values, mean=float(mean), variance=variance))
    return out


def sequential():
    out = []
    for w, k, n in [(.1, 5, 5), (.1, 1, 12), (.5, 30, 40), (.05, 0, 100), (.1, 60, 200)]:
        top = k / n if k else w
        log_at = lambda theta: k * math.log(theta / w) + (n - k) * math.log((1 - theta) / (1 - w))
        peak = log_at(max(top, w + 1e-9)) if k < n else log_at(1 - 1e-12)
        area = quad(lambda theta: math.exp(log_at(theta) - peak), w, 1, points=[max(top, w)], epsabs=0, epsrel=1e-12,
                    limit=500)[0]
        out.append(dict(share=w, canary=k, errors=n, log_evidence=float(peak + math.log(area / (1 - w)))))
    return out


def hashes():
    text = bytes(range(33, 120)) * 2
    return {str(n): xxhash.xxh64(text[:n]).hexdigest() for n in (0, 1, 3, 4, 7, 8, 12, 31, 32, 33, 63, 64, 100)}


print(json.dumps(dict(
    versions=dict(numpy=np.__version__, scipy=scipy.__version__, sklearn=sklearn.__version__,
                  statsmodels=statsmodels.__version__, xxhash=xxhash.VERSION),
    proportions=proportions(), differences=differences(), means=means(), samples=samples(), large_sample=large_sample(),
    counts=counts(), corrections=corrections(), binary=binary(), multiclass=multiclass(), isotonic=isotonic(),
    ratio_bootstrap=ratio_bootstrap(), moments=moments(), sequential=sequential(), hashes=hashes()), indent=1))
