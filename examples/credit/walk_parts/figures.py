"""What the walk reads out of evaluations, gates and metrics."""

import pathlib
import ssl
import urllib.request

# Name and scope of what is shown side by side, and which way is better.
MAIN = [
    ("balanced_accuracy", {}, 1),
    ("auc", {}, 1),
    ("robust_balanced_accuracy", {"under": "fgsm"}, 1),
    ("robust_balanced_accuracy", {"under": "pgd"}, 1),
    ("equalized_odds_difference", {"by": "sex"}, -1),
    ("equalized_odds_difference", {"by": "age"}, -1),
]
SCOPE = ("over", "under", "by", "group")
HALF_A_DIGIT = 0.00005  # figures reach a gate with four digits


def title(name, scope):
    return " ".join([name] + [f"{word} {part}" for word, part in scope.items()])


def find(evaluation, name, scope):
    for figure in evaluation["figures"]:
        if figure["name"] == name and all(figure.get(word, "") == scope.get(word, "") for word in SCOPE):
            return figure
    return None


def text(figure):
    if figure is None or "value" not in figure:
        return "not measured"
    low, high = figure.get("low"), figure.get("high")
    interval = f" ({float(low):.3f} to {float(high):.3f})" if low and high else ""
    return f"{float(figure['value']):.3f}{interval}"


def main_figures(evaluation):
    return {title(name, scope): text(find(evaluation, name, scope)) for name, scope, _ in MAIN}


def compares_with_constant(evaluation):
    return any(figure.get("over") == "constant" for figure in evaluation["figures"])


def side_by_side(before, after):
    width = max(len(name) for name in before)
    yield f"{'':{width}}  {'plain':25}  hardened"
    for name, figure in before.items():
        yield f"{name:{width}}  {figure:25}  {after[name]}"


def gains_and_costs(evaluation):
    """The paired differences to the model before: what was won, what it cost, and what can't be told."""
    for name, scope, sign in MAIN:
        figure = find(evaluation, name, {**scope, "over": "champion"})
        if figure is None or "low" not in figure or "high" not in figure:
            continue
        low, high = sorted((sign * float(figure["low"]), sign * float(figure["high"])))
        word = "gained" if low > 0 else "cost" if high < 0 else "no difference that could be told"
        yield f"{word}: {title(name, scope)} by {text(figure)}"


def verdict(low, high, threshold):
    """What the interval says of "at least 0.6600" or "at most 0.1000"; None where it is too close to call here."""
    words = threshold.split()
    limit = float(words[-1])
    if words[:2] == ["at", "most"]:
        low, high, limit = -high, -low, -limit
    if min(abs(low - limit), abs(high - limit)) < 2 * HALF_A_DIGIT:
        return None
    if low >= limit:
        return "passed"
    return "fell short" if high < limit else "could not tell"


def wrong_verdicts(gate):
    for requirement in gate["requirements"]:
        words = requirement["threshold"].split()
        if words[:2] not in (["at", "least"], ["at", "most"]) or "low" not in requirement:
            continue
        wanted = verdict(float(requirement["low"]), float(requirement["high"]), requirement["threshold"])
        if wanted and wanted != requirement["outcome"]:
            yield f"{requirement['id']} is said to have {requirement['outcome']}, and {wanted}"
    if not gate["waivers"] and gate["passed"] != all(one["outcome"] == "passed" for one in gate["requirements"]):
        yield "the whole is not what its parts are"


def metrics(port, authority, token_file: pathlib.Path):
    request = urllib.request.Request(f"https://localhost:{port}/metrics")
    request.add_header("Authorization", "Bearer " + token_file.read_text().strip())
    context = ssl.create_default_context(cafile=authority)
    with urllib.request.urlopen(request, timeout=30, context=context) as response:
        return response.read().decode()


def unresolved_alerts(text_of_metrics):
    """How many alerts are not resolved, of any severity."""
    lines = [line for line in text_of_metrics.splitlines() if line.startswith("holdfast_alerts_unresolved")]
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines)
