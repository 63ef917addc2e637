#!/usr/bin/env python3
"""Writes pickles as honest users of each framework write them, for inspection to find clean.

    make_benign_pickles.py FOLDER

Frameworks that are not installed are left out, and named. Every file is made here, from data drawn with a fixed seed;
pickles depend on the versions of the frameworks, so the folder is no golden file.
"""
import collections
import datetime
import decimal
import enum
import fractions
import functools
import io
import pathlib
import pickle
import sys
import tempfile
import uuid
import warnings

warnings.filterwarnings("ignore")
OUT = pathlib.Path(sys.argv[1])
OUT.mkdir(parents=True, exist_ok=True)


def write(name, value, protocols=(0, 1, 2, 3, 4, 5)):
    for protocol in protocols:
        (OUT / f"{name}.p{protocol}.pkl").write_bytes(pickle.dumps(value, protocol))


def python_values():
    shared = ["shared"]
    recursive = []
    recursive.append(recursive)
    write("python-containers", {"a": [1, 2.5, None, True, 2**70, -3], "b": (1, (2, (3,))), "c": {1, 2}, "d": b"\x00\xff",
                                "e": frozenset("xy"), "f": bytearray(b"zz"), "shared": [shared, shared]})
    write("python-recursive", recursive)
    write("python-standard-library", [
        collections.OrderedDict(a=1), collections.defaultdict(list, a=[1]), collections.Counter("hello"),
        collections.deque([1, 2], maxlen=3), datetime.datetime(2024, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc),
        datetime.date(2024, 1, 2), datetime.timedelta(days=1), datetime.time(1, 2), decimal.Decimal("1.5"),
        fractions.Fraction(1, 3), uuid.UUID(int=5), pathlib.PurePosixPath("a/b"), pathlib.Path("a/b"), complex(1, 2),
        range(3), slice(1, 2), ValueError("bad"), int, list, dict])
    write("python-partial", functools.partial(int, base=2))
    write("python-long-list", list(range(100000)), (2, 4))
    write("python-vocabulary", {f"word{i}": i for i in range(50000)}, (2, 4))
    optimized = __import__("pickletools").optimize(pickle.dumps({"a": [1, 2, 3]}, 4))
    (OUT / "python-optimized.pkl").write_bytes(optimized)
    stream = io.BytesIO()
    for i in range(3):
        pickle.dump({"record": i}, stream)
    (OUT / "python-several.pkl").write_bytes(stream.getvalue())
    python_pickler = io.BytesIO()
    pickle._Pickler(python_pickler, 4).dump([{"a": "x" * 70000}, b"y" * 70000, list(range(30000))])
    (OUT / "python-pure-pickler.pkl").write_bytes(python_pickler.getvalue())


def numpy_values():
    import numpy as np
    generator = np.random.default_rng(0)
    write("numpy-arrays", {
        "f8": generator.random((4, 5)), "f4": np.zeros(3, "f4"), "i8": np.arange(7), "bool": np.array([True, False]),
        "fortran": np.asfortranarray(generator.random((3, 2))), "text": np.array(["a", "bc"]),
        "bytes": np.array([b"a", b"bc"]), "object": np.array([1, "a", None], object), "zero": np.array(3.0),
        "time": np.array(["2024-01-01"], "M8[D]"), "record": np.array([(1, 2.0)], [("a", "i4"), ("b", "f8")]),
        "matrix": np.matrix([[1, 2]]), "masked": np.ma.array([1, 2], mask=[0, 1]),
        "recarray": np.rec.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")])})
    write("numpy-scalars", [np.float64(1.5), np.int64(2), np.float32(3), np.bool_(True), np.str_("a"), np.complex128(1),
                            np.datetime64("2024-01-01"), np.dtype("f8"), np.dtype([("a", "i4")])])
    write("numpy-random", [np.random.RandomState(0), np.random.default_rng(1), np.random.PCG64(2),
                           np.random.Generator(np.random.MT19937(3))])
    write("numpy-functions", [np.log1p, np.float32, np.mean, np.ndarray])
    write("numpy-large", np.zeros(200000), (2, 4, 5))


def memory_mapped_values():
    import numpy as np

    with tempfile.NamedTemporaryFile() as file:
        values = np.memmap(file, dtype="f8", mode="w+", shape=(6,))
        values[:] = range(6)
        write("numpy-memmap", {"values": values})
        try:
            import joblib
        except ImportError:
            return
        joblib.dump({"values": values, "again": [values, values]}, OUT / "joblib-memmap.joblib")


def scipy_values():
    import numpy as np
    import scipy.interpolate
    import scipy.sparse as sparse
    import scipy.spatial
    write("scipy-sparse", [sparse.csr_matrix(np.eye(3)), sparse.csc_matrix(np.eye(3)), sparse.coo_matrix(np.eye(3)),
                           sparse.lil_matrix(np.eye(3)), sparse.dok_matrix(np.eye(3)), sparse.dia_matrix(np.eye(3)),
                           sparse.bsr_matrix(np.eye(4)), sparse.csr_array(np.eye(3))])
    write("scipy-models", [scipy.interpolate.interp1d([0, 1], [0, 1]),
                           scipy.spatial.cKDTree(np.eye(3))], (2, 4, 5))


def pandas_values():
    import numpy as np
    import pandas as pd
    frame = pd.DataFrame({
        "int": [1, 2], "float": [1.0, np.nan], "text": ["a", "b"], "time": pd.to_datetime(["2024-01-01", "2024-01-02"]),
        "zone": pd.to_datetime(["2024-01-01", "2024-01-02"], utc=True), "category": pd.Categorical(["x", "y"]),
        "nullable": pd.array([1, None], "Int64"), "string": pd.array(["a", None], "string"),
        "bool": pd.array([True, None], "boolean"), "delta": pd.to_timedelta([1, 2], "D"),
        "period": pd.period_range("2024-01", periods=2, freq="M"), "interval": pd.interval_range(0, 2),
        "sparse": pd.arrays.SparseArray([0, 1])})
    write("pandas-frame", frame, (2, 3, 4, 5))
    write("pandas-series", [frame["int"], pd.Series([1, 2], index=["a", "b"], name="s")], (2, 4, 5))
    write("pandas-indexes", [pd.RangeIndex(3), pd.Index(["a"]), pd.MultiIndex.from_tuples([(1, "a"), (2, "b")]),
                             pd.DatetimeIndex(["2024-01-01"], freq="D"), pd.CategoricalIndex(["a"]),
                             pd.TimedeltaIndex(["1D"]), pd.period_range("2024", periods=2), pd.interval_range(0, 2)],
          (2, 4, 5))
    write("pandas-scalars", [pd.Timestamp("2024-01-01"), pd.Timestamp("2024-01-01", tz="UTC"), pd.Timestamp("2024-01-01", tz="Europe/Berlin"), pd.Timedelta("1D"), pd.NA,
                             pd.NaT, pd.Period("2024-01"), pd.Interval(0, 1), pd.CategoricalDtype(["a"]),
                             pd.offsets.MonthEnd(2)], (2, 4, 5))


def sklearn_models():
    import numpy as np
    import scipy.sparse
    from sklearn.utils import all_estimators
    generator = np.random.default_rng(0)
    features = np.abs(generator.random((60, 4))) + 0.1
    labels = np.arange(60) % 3
    texts = ["one two three", "four five", "two three four"] * 20

    def fit(name, estimator):
        for target in (labels, features[:, 0], features[:, :2], np.eye(3)[labels].astype(int)):
            try:
                return estimator.fit(features, target)
            except Exception:  # whatever this estimator does not take
                continue
        try:
            return estimator.fit(texts)
        except Exception:
            return estimator

    for name, cls in all_estimators():
        try:
            estimator = cls()
        except TypeError:
            continue
        yield name, fit(name, estimator)

    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.cluster import Birch
    from sklearn.compose import ColumnTransformer, TransformedTargetRegressor, make_column_selector
    from sklearn.ensemble import StackingClassifier, VotingClassifier
    from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF, WhiteKernel, Matern, DotProduct
    from sklearn.linear_model import LinearRegression, LogisticRegression, SGDClassifier
    from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, StratifiedKFold
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.pipeline import FeatureUnion, Pipeline
    from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
    from sklearn.svm import SVC
    from sklearn.tree import DecisionTreeClassifier
    from sklearn.datasets import load_iris
    from sklearn.metrics import make_scorer, f1_score
    logistic = LogisticRegression()
    yield "pipeline", Pipeline([("scale", StandardScaler()), ("model", logistic)]).fit(features, labels)
    yield "columns", ColumnTransformer([("a", StandardScaler(), [0, 1]), ("b", OneHotEncoder(), slice(2, 3))]).fit(features)
    yield "union", FeatureUnion([("a", StandardScaler())]).fit(features)
    yield "search", GridSearchCV(logistic, {"C": [1, 2]}, cv=StratifiedKFold(2)).fit(features, labels)
    yield "random-search", RandomizedSearchCV(logistic, {"C": [1, 2, 3]}, n_iter=2, cv=2).fit(features, labels)
    yield "stacking", StackingClassifier([("a", logistic), ("b", DecisionTreeClassifier())], cv=2).fit(features, labels)
    yield "voting", VotingClassifier([("a", logistic), ("b", SVC(probability=True))]).fit(features, labels)
    yield "text", TfidfVectorizer(ngram_range=(1, 2)).fit(texts)
    yield "count", CountVectorizer(analyzer="char").fit(texts)
    yield "function", FunctionTransformer(np.log1p, inverse_func=np.expm1).fit(features)
    yield "process", GaussianProcessRegressor(RBF() + WhiteKernel() * Matern() + DotProduct()).fit(features, labels)
    yield "calibrated", CalibratedClassifierCV(SVC(), cv=2).fit(features, labels)
    yield "target", TransformedTargetRegressor(LinearRegression(), func=np.log, inverse_func=np.exp).fit(features, labels + 1)
    yield "one-vs-rest", OneVsRestClassifier(SGDClassifier()).fit(features, labels)
    yield "birch", Birch(n_clusters=2).fit(features)
    yield "dataset", load_iris()
    yield "scorer", make_scorer(f1_score, average="macro")
    yield "sparse-svm", SVC(kernel="linear").fit(scipy.sparse.csr_matrix(features), labels)
    for loss in ("hinge", "log_loss", "modified_huber", "squared_hinge", "perceptron", "squared_error", "huber"):
        yield f"sgd-{loss}", SGDClassifier(loss=loss).fit(features, labels)


def write_sklearn():
    import cloudpickle
    import joblib
    for name, model in sklearn_models():
        try:
            write(f"sklearn-{name}", model, (2, 5))
        except Exception:  # this one can't be pickled
            continue
        joblib.dump(model, OUT / f"sklearn-{name}.joblib")
        (OUT / f"sklearn-{name}.cloudpickle").write_bytes(cloudpickle.dumps(model))


def joblib_values():
    import joblib
    import numpy as np
    values = {"f8": np.arange(5.0), "object": np.array([1, "a", {"k": 2}], object), "text": np.array(["a", "bc"]),
              "record": np.array([(1, 2.0)], [("a", "i4"), ("b", "f8")]), "empty": np.zeros((0, 3)),
              "zero": np.array(2.0), "fortran": np.asfortranarray(np.ones((3, 4))), "masked": np.ma.array([1, 2]),
              "after": list(range(10))}
    for protocol in (2, 3, 4, 5):
        joblib.dump(values, OUT / f"joblib-values.p{protocol}.joblib", protocol=protocol)
    # As joblib before 1.2 wrote it: no alignment, so the array's bytes follow at once.
    from joblib import numpy_pickle
    unaligned = numpy_pickle.NumpyArrayWrapper.__init__

    def init(self, *arguments, **keywords):
        unaligned(self, *arguments, **keywords)
        self.numpy_array_alignment_bytes = None

    numpy_pickle.NumpyArrayWrapper.__init__ = init
    joblib.dump(values, OUT / "joblib-unaligned.joblib")
    joblib.dump(np.random.default_rng(0).integers(0, 255, (200, 30), np.uint8), OUT / "joblib-unaligned-bytes.joblib")
    numpy_pickle.NumpyArrayWrapper.__init__ = unaligned


def write_torch():
    import torch
    from torch import nn
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.BatchNorm1d(8), nn.Dropout(), nn.Linear(8, 2))
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, batch_first=True), 1)
    layers = nn.ModuleList([nn.Conv2d(1, 2, 3), nn.MaxPool2d(2), nn.LSTM(4, 4), nn.GRU(2, 2), nn.Embedding(3, 4),
                            nn.LayerNorm(3), nn.GELU(), nn.MultiheadAttention(4, 2), nn.Flatten(), nn.Softmax(-1),
                            nn.ConvTranspose2d(1, 1, 2), nn.CrossEntropyLoss(), nn.PReLU(), nn.Identity()])
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.zeros(3, 4)).sum().backward()
    optimizer.step()
    values = {
        "state-dict": model.state_dict(), "module": model, "encoder": encoder, "layers": layers,
        "checkpoint": {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3, "loss": 0.5,
                       "rng": torch.get_rng_state()},
        "optimizer": optimizer,
        "tensors": {str(t): torch.zeros(2, dtype=t) for t in
                    (torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16,
                     torch.int8, torch.uint8, torch.bool, torch.complex64)},
        "misc": [torch.Size([1, 2]), torch.device("cpu"), torch.float32, nn.Parameter(torch.zeros(1)),
                 torch.sparse_coo_tensor([[0], [1]], [1.0], (2, 2)), torch.zeros(2, 2).t(), torch.strided,
                 torch.quantize_per_tensor(torch.zeros(2), 0.1, 0, torch.quint8), torch.per_tensor_affine],
        "dataset": torch.utils.data.TensorDataset(torch.zeros(2, 3)),
        "scheduler": torch.optim.lr_scheduler.StepLR(optimizer, 1).state_dict(),
    }
    for name, value in values.items():
        for zipped in (False, True):
            try:
                torch.save(value, OUT / f"torch-{'zip' if zipped else 'legacy'}-{name}.pt",
                           _use_new_zipfile_serialization=zipped)
            except TypeError as refused:  # of some values, by some versions
                print(f"torch {name}: left out, {refused}", file=sys.stderr)
        (OUT / f"torch-plain-{name}.pkl").write_bytes(pickle.dumps(value))
    traced = torch.jit.script(nn.Linear(2, 2))
    torch.jit.save(traced, str(OUT / "torch-script.pt"))


def write_torchvision():
    import torch
    import torchvision
    for name in ("resnet18", "mobilenet_v3_small", "vit_b_16", "densenet121", "googlenet"):
        model = torchvision.models.get_model(name, weights=None)
        for parameter in model.parameters():
            parameter.data = torch.zeros(1).expand(parameter.shape)
        torch.save(model, OUT / f"torchvision-{name}.pt", _use_new_zipfile_serialization=False)
    transforms = torchvision.transforms
    torch.save(transforms.Compose([transforms.Resize(3), transforms.ToTensor(), transforms.Normalize([0.5], [0.5])]),
               OUT / "torchvision-transforms.pt", _use_new_zipfile_serialization=False)


def write_boosters():
    import numpy as np
    generator = np.random.default_rng(0)
    features = generator.random((80, 4))
    labels = (features[:, 0] > 0.5).astype(int)

    def xgboost_models():
        import xgboost as xgb
        yield "xgb-classifier", xgb.XGBClassifier(n_estimators=3).fit(features, labels)
        yield "xgb-regressor", xgb.XGBRegressor(n_estimators=3).fit(features, labels)
        yield "xgb-ranker", xgb.XGBRanker(n_estimators=3).fit(features, labels, qid=np.zeros(80, int))
        yield "xgb-booster", xgb.train({}, xgb.DMatrix(features, labels), 2)

    def lightgbm_models():
        import lightgbm as lgb
        quiet = {"verbose": -1, "min_data_in_leaf": 1}
        yield "lgb-classifier", lgb.LGBMClassifier(n_estimators=3, verbose=-1).fit(features, labels)
        yield "lgb-regressor", lgb.LGBMRegressor(n_estimators=3, verbose=-1).fit(features, labels)
        yield "lgb-booster", lgb.train(quiet, lgb.Dataset(features, labels), 2)

    import joblib
    for models in (xgboost_models, lightgbm_models):
        for name, model in models():
            write(name, model, (2, 4, 5))
            joblib.dump(model, OUT / f"{name}.joblib")


def write_transformers():
    import transformers
    arguments = transformers.TrainingArguments("out", report_to=[])
    write("transformers-arguments", arguments, (2, 4))
    for name in ("BertConfig", "GPT2Config", "LlamaConfig", "T5Config", "ViTConfig", "WhisperConfig"):
        config = getattr(transformers, name)()
        write(f"transformers-{name}", config, (2, 4))


GROUPS = (python_values, numpy_values, memory_mapped_values, scipy_values, pandas_values, joblib_values, write_sklearn, write_torch,
          write_torchvision, write_boosters, write_transformers)

if __name__ == "__main__":
    for group in GROUPS:
        try:
            group()
        except ImportError as missing:
            print(f"{group.__name__}: left out, {missing}", file=sys.stderr)
    print(f"{sum(1 for _ in OUT.iterdir())} files in {OUT}")
