#!/usr/bin/env python3
"""Compares src/policy with Cedar's own engine, through cedarpy, over generated policies.

    python3 -m venv build/venv-cedar && build/venv-cedar/bin/pip install cedarpy
    ninja -C build/dev policy_probe
    build/venv-cedar/bin/python tests/interop/cedar_differential.py build/dev/bin/policy_probe [--count N] [--seed S]

Each round makes a few policies, entities and a request and compares the decision, the determining policies and the
failing ones; then the same through Cedar's JSON form of the policies; then the validation against a schema; then
whether a damaged copy of the policies is still accepted. Prints each difference; exits 1 when there was one.
"""

import argparse
import json
import random
import subprocess
import sys

import cedarpy

SCHEMA = """
entity Group in [Group] { level: Long } tags String;
entity User in [Group] {
  name: String, age?: Long, admin: Bool, manager?: User, roles: Set<String>, born: datetime, limit: decimal,
  home: ipaddr, nap: duration, address: { city: String, zip?: Long, geo?: { lat: Long } }
} tags Set<Long>;
entity Doc in [Group] { owner: User, title: String, size?: Long, readers: Set<User>, "odd name": Bool };
entity Colour enum ["red", "blue"];
action all;
action read, write in [all] appliesTo {
  principal: [User], resource: [Doc, Group],
  context: { mfa: Bool, when?: datetime, from: ipaddr, n: Long, note: String, tags?: Set<String> }
};
action other appliesTo { principal: [User, Group], resource: User };
"""

STRINGS = ["", "a", "b", "abc", "a*b", "x y", "\\u{1F600}", "q\\\"", "\\\\", "été", "aXbXc", "\\0", "10.0.0.1", "1.5"]
LONGS = ["0", "1", "-1", "2", "7", "100", "9223372036854775807", "-9223372036854775808", "4611686018427387904"]
DECIMALS = ["1.0", "0.5", "-0.5", "-0.0", "922337203685477.5807", "-922337203685477.5808", "922337203685477.5808", "1",
            "1.00001", ".5", "1.", "01.10", "+1.0", "1.5e3"]
IPS = ["10.0.0.1", "10.0.0.0/8", "127.0.0.1", "127.0.0.0/7", "224.1.2.3", "::1", "ff00::/8", "::", "1::2::3", "::1/128",
       "10.0.0.1/33", "010.0.0.1", "10.0.0.1/08", "fe80::1/64", "::ffff:1.2.3.4", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::",
       "10.0.0.256", "0.0.0.0/0", "::/0", "abcd::/127"]
DATETIMES = ["2024-01-01", "2024-02-30", "2024-02-29", "1970-01-01T00:00:00Z", "2024-12-31T23:59:60Z", "0000-01-01",
             "9999-12-31T23:59:59.999Z", "2024-01-01T12:00:00.123+0130", "2024-01-01T12:00:00+2400",
             "2024-01-01T12:00:00+2359", "2024-01-01T12:00:00-0060", "2024-01-01T1:00:00Z", "2024-01-01T00:00:00.1Z"]
DURATIONS = ["1d", "1h30m", "-1d2h", "5ms", "1s5ms", "1m1ms", "", "-", "1h1d", "1d1d", "106751991167d", "106751991168d",
             "-9223372036854775808ms", "9223372036854775808ms", "1.5h", "0ms", "+1h"]
ENTITIES = ['User::"alice"', 'User::"bob"', 'User::"nobody"', 'Group::"g1"', 'Group::"g2"', 'Group::"g3"', 'Doc::"d1"',
            'Doc::"d2"', 'Colour::"red"', 'Colour::"green"', 'Action::"read"', 'Action::"all"', 'Ghost::"x"']


class Generator:
    def __init__(self, rng):
        self.rng = rng

    def pick(self, *choices):
        return self.rng.choice(choices)

    def string(self):
        return '"' + self.rng.choice(STRINGS) + '"'

    def entity(self, depth):
        options = [lambda: self.rng.choice(ENTITIES), lambda: self.pick("principal", "resource", "action")]
        if depth > 0:
            options += [lambda: self.pick("principal.manager", "resource.owner", "principal.manager.manager"),
                        lambda: f"(if {self.boolean(depth - 1)} then {self.entity(0)} else {self.entity(0)})"]
        return self.rng.choice(options)()

    def long(self, depth):
        options = [lambda: self.rng.choice(LONGS), lambda: self.pick("context.n", "principal.age", "resource.size",
                                                                    "principal.address.zip", "resource.level")]
        if depth > 0:
            options += [lambda: f"({self.long(depth - 1)} {self.pick('+', '-', '*')} {self.long(depth - 1)})",
                        lambda: f"-({self.long(depth - 1)})",
                        lambda: f"{self.duration(depth - 1)}.{self.pick('toDays', 'toHours', 'toMinutes', 'toSeconds', 'toMilliseconds')}()"]
        return self.rng.choice(options)()

    def decimal(self):
        return self.pick("principal.limit", f'decimal("{self.rng.choice(DECIMALS)}")')

    def ip(self):
        return self.pick("principal.home", "context.from", f'ip("{self.rng.choice(IPS)}")')

    def datetime(self, depth):
        plain = self.pick("principal.born", "context.when", f'datetime("{self.rng.choice(DATETIMES)}")')
        if depth > 0 and self.rng.random() < 0.4:
            return self.pick(f"{plain}.offset({self.duration(0)})", f"{plain}.toDate()")
        return plain

    def duration(self, depth):
        plain = self.pick("principal.nap", f'duration("{self.rng.choice(DURATIONS)}")')
        if depth > 0 and self.rng.random() < 0.4:
            return self.pick(f"{self.datetime(0)}.durationSince({self.datetime(0)})", f"{self.datetime(0)}.toTime()")
        return plain

    def any(self, depth):
        return self.rng.choice([lambda: self.string(), lambda: self.long(depth), lambda: self.entity(depth),
                                lambda: self.boolean(depth), lambda: self.set(depth), lambda: self.record(depth),
                                lambda: self.decimal(), lambda: self.ip(), lambda: self.datetime(depth),
                                lambda: self.duration(depth), lambda: self.pick("principal.name", "context.note")])()

    def set(self, depth):
        if depth <= 0 or self.rng.random() < 0.3:
            return self.pick("principal.roles", "resource.readers", "context.tags", "[]", '["a", "b"]', "[1, 2, 1]")
        maker = self.rng.choice([self.any, self.long, self.entity, lambda d: self.string()])
        return "[" + ", ".join(maker(depth - 1) for _ in range(self.rng.randrange(4))) + "]"

    def record(self, depth):
        names = self.rng.sample(["a", "b", '"c d"', "city", "lat"], self.rng.randrange(4))
        return "{" + ", ".join(f"{name}: {self.any(depth - 1)}" for name in names) + "}"

    def has(self, depth):
        target = self.rng.choice([self.entity(depth), "context", "principal.address", self.record(depth)])
        path = self.pick("age", "manager", "name", "address.zip", "address.geo.lat", '"odd name"', "tags", "a.b", "size",
                         "manager.age", "owner.manager.name")
        return f"({target} has {path})"

    def boolean(self, depth):
        if depth <= 0:
            return self.pick("true", "false", "context.mfa", "principal.admin", 'resource["odd name"]',
                             '(principal has age)', '(action in Action::"all")', "(principal is User)")
        d = depth - 1
        options = [
            lambda: f"({self.boolean(d)} && {self.boolean(d)})",
            lambda: f"({self.boolean(d)} || {self.boolean(d)})",
            lambda: f"({self.boolean(d)} && {self.boolean(d)} && {self.boolean(d)})",
            lambda: f"!({self.boolean(d)})",
            lambda: f"(if {self.boolean(d)} then {self.boolean(d)} else {self.boolean(d)})",
            lambda: f"({self.any(d)} {self.pick('==', '!=')} {self.any(d)})",
            lambda: f"({self.long(d)} {self.pick('<', '<=', '>', '>=', '==')} {self.long(d)})",
            lambda: f"({self.datetime(d)} {self.pick('<', '<=', '>', '>=', '==')} {self.datetime(d)})",
            lambda: f"({self.duration(d)} {self.pick('<', '<=', '>', '>=', '==')} {self.duration(d)})",
            lambda: f"{self.decimal()}.{self.pick('lessThan', 'lessThanOrEqual', 'greaterThan', 'greaterThanOrEqual')}({self.decimal()})",
            lambda: f"{self.ip()}.{self.pick('isIpv4', 'isIpv6', 'isLoopback', 'isMulticast')}()",
            lambda: f"{self.ip()}.isInRange({self.ip()})",
            lambda: f"({self.entity(d)} in {self.pick(self.entity(d), self.set(d))})",
            lambda: f"({self.entity(d)} is {self.pick('User', 'Group', 'Doc', 'Ghost', 'Action')})",
            lambda: f"({self.entity(d)} is {self.pick('User', 'Group', 'Doc')} in {self.entity(d)})",
            lambda: self.has(d),
            lambda: f"({self.pick(self.string(), 'principal.name', 'context.note')} like "
                    f"\"{self.pick('*', 'a*', '*b', 'a*b*c', 'abc', chr(92) + '*', 'a' + chr(92) + '**', '', '*X*X*')}\")",
            lambda: f"{self.set(d)}.{self.pick('containsAll', 'containsAny')}({self.set(d)})",
            lambda: f"{self.set(d)}.contains({self.any(d)})",
            lambda: f"{self.set(d)}.isEmpty()",
            lambda: f"{self.entity(d)}.hasTag({self.string()})",
            lambda: f"({self.entity(0)}.hasTag(\"a\") && {self.entity(0)}.getTag(\"a\").contains({self.long(d)}))",
            lambda: f"({self.entity(d)}.getTag({self.string()}) == {self.any(d)})",
            lambda: f"(principal has age && principal.age < {self.long(d)})",
            lambda: f"(principal has manager.age && principal.manager.age < {self.long(d)})",
        ]
        return self.rng.choice(options)()

    def constraint(self, variable):
        uid = self.rng.choice(ENTITIES)
        if self.rng.random() < 0.7:
            return variable
        return variable + self.pick(f" == {uid}", f" in {uid}", " is User", f" is Doc in {uid}", " is Group")

    def policy(self):
        action = self.pick("action", "action", "action", 'action == Action::"read"', 'action in Action::"all"',
                           'action in [Action::"read", Action::"other"]', "action in []")
        scope = f"{self.constraint('principal')}, {action}, {self.constraint('resource')}"
        conditions = "".join(f" {self.pick('when', 'unless')} {{ {self.boolean(self.rng.randrange(4))} }}"
                             for _ in range(self.rng.randrange(3)))
        return f"{self.pick('permit', 'forbid')}({scope}){conditions};\n"


def extension(function, text):
    return {"__extn": {"fn": function, "arg": text}}


def uid(text):
    kind, name = text.split("::", 1)
    return {"type": kind, "id": name.strip('"')}


def make_entities(rng):
    def user(name, parents):
        attrs = {"name": rng.choice(["abc", "aXbXc", ""]), "admin": rng.random() < 0.5,
                 "roles": rng.sample(["a", "b", "c"], rng.randrange(4)), "born": extension("datetime", "1990-05-05"),
                 "limit": extension("decimal", rng.choice(["0.5", "-0.5", "1.0"])),
                 "home": extension("ip", rng.choice(["10.1.2.3", "::1", "127.0.0.1"])),
                 "nap": extension("duration", "1h30m"), "address": {"city": "X"}}
        if rng.random() < 0.5:
            attrs["age"] = rng.choice([0, 7, -1, 2**63 - 1])
            attrs["address"] = {"city": "Y", "zip": 7, "geo": {"lat": 1}}
        if rng.random() < 0.5:
            attrs["manager"] = {"__entity": uid('User::"bob"')}
        tags = {tag: rng.sample([0, 1, 7], 2) for tag in rng.sample(["a", "b", ""], rng.randrange(3))}
        return {"uid": uid(name), "attrs": attrs, "parents": [uid(p) for p in parents], "tags": tags}

    def doc(name):
        attrs = {"owner": {"__entity": uid('User::"alice"')}, "title": "t", "odd name": rng.random() < 0.5,
                 "readers": [{"__entity": uid('User::"bob"')}]}
        if rng.random() < 0.5:
            attrs["size"] = 7
        return {"uid": uid(name), "attrs": attrs, "parents": [uid('Group::"g2"')]}

    group = [{"uid": uid('Group::"g1"'), "attrs": {"level": 1}, "parents": [uid('Group::"g2"')], "tags": {"a": "b"}},
             {"uid": uid('Group::"g2"'), "attrs": {"level": 2}, "parents": []}]
    actions = [{"uid": uid('Action::"read"'), "attrs": {}, "parents": [uid('Action::"all"')]},
               {"uid": uid('Action::"write"'), "attrs": {}, "parents": [uid('Action::"all"')]},
               {"uid": uid('Action::"other"'), "attrs": {}, "parents": []},
               {"uid": uid('Action::"all"'), "attrs": {}, "parents": []}]
    return [user('User::"alice"', ['Group::"g1"']), user('User::"bob"', []), doc('Doc::"d1"')] + group + actions


def make_request(rng):
    context = {"mfa": rng.random() < 0.5, "from": extension("ip", "10.0.0.9"), "n": rng.choice([0, 1, 7]), "note": "abc"}
    if rng.random() < 0.5:
        context["when"] = extension("datetime", "2024-06-01T00:00:00Z")
        context["tags"] = ["a"]
    return {"principal": rng.choice(ENTITIES[:3]), "action": rng.choice(['Action::"read"', 'Action::"write"']),
            "resource": rng.choice(['Doc::"d1"', 'Doc::"d2"', 'Group::"g1"', 'Group::"g3"']), "context": context}


def damage(rng, text):
    """Takes out, doubles, swaps or replaces a piece, which may or may not leave a policy."""
    at = rng.randrange(len(text))
    pieces = ["!", "-", "(", ")", "[", "]", ",", "==", "<", " in ", " has ", ".", "if ", "true", '"', "::", "like", "1", "*",
              "principal", "{", "}", "&&", " is ", ";", "@x", "?principal", "//", "\\", "a"]
    choice = rng.randrange(3)
    if choice == 0:
        return text[:at] + text[at + 1 + rng.randrange(3):]
    if choice == 1:
        return text[:at] + rng.choice(pieces) + text[at:]
    return text[:at] + rng.choice(pieces) + text[at + 1 + rng.randrange(3):]


class Probe:
    def __init__(self, path):
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, **question):
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def accepts(text):
    try:
        cedarpy.policies_to_json_str(text)
        return True
    except ValueError:
        return False


def theirs(policies, request, entities):
    result = cedarpy.is_authorized(request, policies, entities)
    failed = sorted({e.split("`")[1] for e in result.diagnostics.errors})
    return {"decision": result.decision.value, "reasons": sorted(result.diagnostics.reasons), "errors": failed}


def ours(reply):
    return {key: reply.get(key, reply.get("refused")) for key in ("decision", "reasons", "errors")}


def main():
    options = argparse.ArgumentParser()
    options.add_argument("probe")
    options.add_argument("--count", type=int, default=2000)
    options.add_argument("--seed", type=int, default=1)
    arguments = options.parse_args()
    probe = Probe(arguments.probe)
    schema = cedarpy.Schema.from_str(SCHEMA)
    differences = {"decision": 0, "text": 0, "json": 0, "validation": 0, "acceptance": 0}
    seen = {"Allow": 0, "Deny": 0, "errors": 0, "valid": 0, "damaged but accepted": 0}

    def differ(kind, *details):
        differences[kind] += 1
        if differences[kind] <= 5:
            print(f"--- {kind}", *details, sep="\n")

    for index in range(arguments.count):
        rng = random.Random(arguments.seed * 1_000_003 + index)
        generator = Generator(rng)
        policies = "".join(generator.policy() for _ in range(1 + rng.randrange(4)))
        entities, request = make_entities(rng), make_request(rng)

        expected = theirs(policies, request, entities)
        reply = probe.ask(policies=policies, entities=entities, request=request)
        if ours(reply) != expected:
            differ("decision", policies, json.dumps(request), f"Cedar: {expected}", f"ours: {reply}")
        seen[expected["decision"]] = seen.get(expected["decision"], 0) + 1
        seen["errors"] += bool(expected["errors"])

        # What we print is the policy that we read.
        again = theirs(reply.get("text", ""), request, entities)
        if again != expected:
            differ("text", policies, reply.get("text"), f"Cedar on ours: {again}")

        as_json = cedarpy.policies_to_json_str(policies)
        reply = probe.ask(policies_json=as_json, entities=entities, request=request)
        if ours(reply) != expected:
            differ("json", as_json, f"Cedar: {expected}", f"ours: {reply}")

        valid = cedarpy.validate_policies(policies, schema).validation_passed
        reply = probe.ask(policies=policies, schema=SCHEMA)
        if valid != (reply.get("invalid") == []):
            differ("validation", policies, f"Cedar: {valid}", f"ours: {reply}")
        seen["valid"] += valid

        damaged = damage(rng, policies)
        accepted = accepts(damaged)
        reply = probe.ask(policies=damaged)
        if accepted == ("refused" in reply):
            differ("acceptance", damaged, f"Cedar: {accepted}", f"ours: {reply}")
        seen["damaged but accepted"] += accepted

    print(f"{arguments.count} rounds; {seen}; differences: {differences}")
    return 1 if any(differences.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
