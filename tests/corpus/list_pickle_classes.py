#!/usr/bin/env python3
"""Prints the generated part of src/inspect/data/pickle_allow.list from the frameworks that are installed here.

    list_pickle_classes.py >> src/inspect/data/pickle_allow.list   (in place of the part below its last "# Generated" line)

Lists classes by exact name, each where it is defined. Left out are classes whose __setstate__ or __del__ does more than
hold data; such are found by reading, and named in REFUSED with the reason. Source text of transformers is parsed rather
than imported, since many of its modules need packages that are not there.
"""
import ast
import importlib
import importlib.metadata
import inspect
import pathlib
import pkgutil
import types
import warnings

warnings.filterwarnings("ignore")

SKIPPED_MODULES = ("test", "externals", "datasets", "callback", "experimental", "_build_utils", "__check_build", "conftest",
                   "_api", "_meta", "_utils", "io", "prototype", "v2", "inspection", "_plot",
                   "_pairwise_distances_reduction")
REFUSED = {
    ("sklearn.utils._estimator_html_repr", "*"): "nothing that a model holds",
    ("sklearn.utils.parallel", "*"): "runs what it is given",
    ("sklearn.utils._testing", "*"): "runs what it is given",
    ("torchvision.transforms.transforms", "Lambda"): "calls what it is given",
    ("transformers.models.bert_japanese.tokenization_bert_japanese", "*"): "__setstate__ starts tokenizers by options",
}


def modules(package):
    root = importlib.import_module(package)
    yield root
    for found in pkgutil.walk_packages(getattr(root, "__path__", ()), package + "."):
        parts = found.name.split(".")
        if any(part in SKIPPED_MODULES or part.startswith("test") for part in parts[1:]):
            continue
        try:
            yield importlib.import_module(found.name)
        except Exception:  # needs what is not installed
            continue


def refused(module, name):
    return (module, name) in REFUSED or (module, "*") in REFUSED


def is_extension(cls):
    heap_type = 1 << 9  # Py_TPFLAGS_HEAPTYPE: classes written in Python
    return not cls.__flags__ & heap_type


def defined_classes(module):
    for name, cls in sorted(vars(module).items()):
        if isinstance(cls, type) and cls.__module__ == module.__name__ and not issubclass(cls, BaseException):
            if not refused(module.__name__, name) and name == cls.__qualname__:
                yield name, cls


def title(distribution, note=""):
    print(f"\n# {distribution} {importlib.metadata.version(distribution)}{note}")


def scikit_learn():
    title("scikit-learn", ": every class, with its module's name from before 0.22 where that lacked the underscore")
    older = {"_classes": {"sklearn.tree": "tree", "sklearn.svm": "classes"}, "_gb": {"": "gradient_boosting"},
             "_agglomerative": {"": "hierarchical"}, "_kmeans": {"": "k_means_"}, "_birch": {"": "birch"},
             "_forest": {"": "forest"}, "_weight_boosting": {"": "weight_boosting"}, "_mean_shift": {"": "mean_shift_"}}
    lines = set()
    for module in modules("sklearn"):
        extension_module = not str(getattr(module, "__file__", "")).endswith(".py")
        for name, cls in defined_classes(module):
            role = "construct" if is_extension(cls) and extension_module else "new"
            lines.add(f"{role} {module.__name__} {name}")
            parent, _, last = module.__name__.rpartition(".")
            if role == "new" and last.startswith("_") and not name.startswith("_"):
                names = older.get(last, {})
                lines.add(f"{role} {parent}.{names.get(parent, names.get('', last[1:]))} {name}")
        for name, function in vars(module).items():
            if extension_module and (name == "newObj" or name.startswith("__pyx_unpickle_")):
                lines.add(f"call-class {module.__name__} {name}")
            scores = module.__name__.startswith(("sklearn.metrics.", "sklearn.feature_selection."))
            if scores and isinstance(function, types.FunctionType) and function.__module__ == module.__name__:
                if "return_estimator" not in name and not name.startswith("_"):
                    lines.add(f"reference {module.__name__} {name}")
    print("\n".join(sorted(lines)))


def classes_of(distribution, packages):
    title(distribution)
    lines = set()
    for package in packages:
        for module in modules(package):
            lines.update(f"new {module.__name__} {name}" for name, _ in defined_classes(module))
    print("\n".join(sorted(lines)))


def transformers():
    title("transformers", ": configurations, and tokenizers that do nothing when their state is set")
    root = pathlib.Path(importlib.util.find_spec("transformers").origin).parent
    lines = set()
    for path in sorted(root.glob("models/*/*.py")):
        configuration = path.stem.startswith("configuration_")
        if not configuration and not path.stem.startswith("tokenization_"):
            continue
        module = ".".join(("transformers", *path.relative_to(root).with_suffix("").parts))
        for node in ast.parse(path.read_text()).body:
            if not isinstance(node, ast.ClassDef) or refused(module, node.name):
                continue
            methods = {item.name for item in node.body if isinstance(item, ast.FunctionDef)}
            endings = ("Config",) if configuration else ("Tokenizer", "TokenizerFast")
            if node.name.endswith(endings) and not methods & {"__setstate__", "__del__", "__new__"}:
                lines.add(f"new {module} {node.name}")
    print("\n".join(sorted(lines)))


if __name__ == "__main__":
    print("# Generated by tests/corpus/list_pickle_classes.py")
    scikit_learn()
    classes_of("torch", ("torch.nn.modules", "torch.optim"))
    classes_of("torchvision", ("torchvision.models", "torchvision.ops", "torchvision.transforms.transforms"))
    transformers()
