#pragma once

#include <array>
#include <string_view>

// The 27 practices of MLOps security (Calefato, Lanubile, Quaranta, "Security Risks and Best Practices of
// MLOps: A Multivocal Literature Review", ITASEC 2024, table 2), with what a user must be able to see working
// of each. Ids are stable: the log, the API, the console and the documents use them.

namespace holdfast::govern {

struct Practice {
  std::string_view id;     // "P01"
  std::string_view title;  // for people
  std::string_view shows;  // what must be seen at work before it holds; parts.h takes it apart
};

inline constexpr std::size_t kPracticeCount = 27;

inline constexpr std::array<Practice, kPracticeCount> kPractices{{
    {"P01", "Service principals and managed identities",
     "A workload gets in without a shared secret, with a short-lived credential bound to it"},
    {"P02", "Access control policies, and user activity logged",
     "Every request is decided by policy, and every decision is in a tamper-evident log that an outside "
     "verifier accepts"},
    {"P03", "Zero trust and least privilege",
     "Nothing is trusted for where it comes from; unused grants are found and their removal proposed; "
     "elevated access is asked for, approved by another person, and expires"},
    {"P04", "Data provenance and lineage",
     "For any dataset, model or prediction: where it came from, who touched it, and what a change or a "
     "poisoned input affects downstream"},
    {"P05", "Encrypt and sign models",
     "A model at rest is ciphertext; a changed byte, a wrong signer or a rolled-back version is refused at "
     "load; outside tools verify the signature"},
    {"P06", "Differential privacy and federated learning",
     "A model trained with DP-SGD with its epsilon accounted, a release under a budget, and a model trained "
     "across parties by secure aggregation that survives drop-outs"},
    {"P07", "Environments isolated in virtual networks",
     "A training step or an engine runs in a network of its own and reaches only what its specification "
     "names; the same specification gives the cluster's network policies"},
    {"P08", "Secure communication channels",
     "Every connection is TLS 1.3 or mutually authenticated TLS; plaintext and old versions are refused"},
    {"P09", "Encryption in transit and at rest, from the first phase on",
     "Datasets, models, logs and database secrets are ciphertext on disk under managed keys, with rotation"},
    {"P10", "Sensitive data hashed, tokenized or masked",
     "Sensitive columns and text are found and transformed before training; tokens keep joins working and "
     "are reversed only by those allowed"},
    {"P11", "Inputs and outputs validated",
     "A request outside the model's schema, ranges or learned domain is refused or flagged; an output that "
     "leaks or is out of bounds is withheld or coarsened"},
    {"P12", "Private endpoints and firewalls",
     "An endpoint is private unless published, answers only named networks and identities, and the host's "
     "firewall rules are generated and checked"},
    {"P13", "Adversarial training",
     "A deployed model is attacked, hardened with adversarial and synthetic examples, and the gain in robust "
     "accuracy is measured"},
    {"P14", "Automated deployment",
     "A declared pipeline takes a commit or a new dataset to a deployed version with gates, approvals, "
     "canary and rollback, and no manual step"},
    {"P15", "Security testing",
     "A threat model of the running deployment, a penetration-test battery against a live endpoint, and a "
     "vulnerability test of the artefact, each a gate"},
    {"P16", "Models monitored for performance and health",
     "One overview of every model in production: traffic, latency, errors, processor and memory use, drift, "
     "quality"},
    {"P17", "Models and pipelines watched with metrics and logs",
     "Metrics, logs and traces of every pipeline step and every model, in the formats that existing stacks "
     "scrape"},
    {"P18", "Anomaly detection and alerts",
     "A planted anomaly (drift, traffic, resource use, access pattern) raises one alert, routed, "
     "deduplicated, acknowledged, resolved"},
    {"P19", "Feedback loops and retraining",
     "Labels that come late are joined to predictions; a confirmed drop triggers retraining on validated "
     "data; the challenger replaces the champion only if it wins; rollback takes seconds"},
    {"P20", "Compliance with privacy regulations",
     "Purpose, consent, retention and subject requests are enforced through lineage down to models; the "
     "evidence an auditor asks for is produced from the log"},
    {"P21", "Ethical guidelines in development",
     "Fairness, bias, explainability and accountability are measured, signed off by a named role, and gate "
     "the deployment"},
    {"P22", "Security measures regularly updated",
     "The age of every patch, rule set, key and base component is tracked against a deadline; an overdue one "
     "raises a finding and blocks what depends on it"},
    {"P23", "Dependencies scanned for known vulnerabilities",
     "A project's or a model's bill of materials is matched against an offline advisory database, with "
     "reachable fixes named"},
    {"P24", "Third-party components and models tested and updated",
     "A model from outside is quarantined until it has passed artefact scan, backdoor, performance, fairness "
     "and security tests, and is re-tested when an update or a new advisory appears"},
    {"P25", "Performance, fairness and security of models validated",
     "One evaluation of one's own model gives performance by slice, fairness, robustness and privacy leakage "
     "with confidence intervals, and gates the deployment"},
    {"P26", "Staff trained",
     "Hands-on exercises run in the product against real attacks, are scored, expire, and a role can require "
     "them before it is granted"},
    {"P27", "Incidents prepared for and answered",
     "An alert becomes an incident with a playbook, containment acts at once, clocks for legal notice run, "
     "and drills rehearse it"},
}};

}  // namespace holdfast::govern
