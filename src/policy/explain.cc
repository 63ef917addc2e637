#include "policy/explain.h"

#include <algorithm>
#include <utility>

namespace holdfast::policy {
namespace {

// Takes a condition apart down to its checks, in the order in which it is evaluated.
class ConditionWalk {
 public:
  ConditionWalk(const Expression& expression, Evaluator& evaluator, std::size_t room,
                std::vector<Check>& checks)
      : expression_(expression), evaluator_(evaluator), room_(room), checks_(checks) {}

  Truth walk(NodeId id, bool reached) {
    const Node& node = expression_.node(id);
    switch (node.op) {
      case Op::kAnd:
      case Op::kOr:
        return walk_chain(node, reached);
      case Op::kNot: {
        const Truth inner = walk(node.a, reached);
        if (inner == Truth::kTrue) return Truth::kFalse;
        return inner == Truth::kFalse ? Truth::kTrue : inner;
      }
      case Op::kIf:
        return walk_if(node, reached);
      default:
        return check(id, reached);
    }
  }

 private:
  Truth walk_chain(const Node& node, bool reached) {
    const Truth decisive = node.op == Op::kOr ? Truth::kTrue : Truth::kFalse;
    Truth result = reached ? (node.op == Op::kOr ? Truth::kFalse : Truth::kTrue) : Truth::kNotReached;
    for (const NodeId operand : expression_.list(node.a, node.b)) {
      const Truth truth = walk(operand, reached);
      if (reached && (truth == decisive || truth == Truth::kError)) {
        result = truth;
        reached = false;
      }
    }
    return result;
  }

  Truth walk_if(const Node& node, bool reached) {
    const Truth condition = walk(node.a, reached);
    const Truth then_ = walk(node.b, condition == Truth::kTrue);
    const Truth else_ = walk(node.c, condition == Truth::kFalse);
    if (condition == Truth::kTrue) return then_;
    return condition == Truth::kFalse ? else_ : condition;
  }

  Truth check(NodeId id, bool reached) {
    Check check{.text = expression_.text(id)};
    if (reached) {
      const bool* truth = evaluator_.evaluate_bool(expression_, id);
      check.truth = truth == nullptr ? Truth::kError : *truth ? Truth::kTrue : Truth::kFalse;
      if (truth == nullptr) check.error = evaluator_.error();
      see(id, check.seen);
    }
    const Truth truth = check.truth;
    if (checks_.size() < room_) checks_.push_back(std::move(check));
    return truth;
  }

  // The attributes, tags and variables that an expression reads; of x.y.z the whole, not x.y beside it.
  void see(NodeId id, std::vector<SeenValue>& seen) {
    if (seen.size() == kMaxSeen) return;
    const Node& node = expression_.node(id);
    switch (node.op) {
      case Op::kGetAttribute:
      case Op::kGetTag:
        return add(id, seen);
      case Op::kVariable:
        if (static_cast<Variable>(node.a) != Variable::kContext) add(id, seen);
        return;
      case Op::kLiteral:
      case Op::kHas:
        return;  // says by its truth all there is to see
      default:
        for (const NodeId child : expression_.children(id)) see(child, seen);
    }
  }

  void add(NodeId id, std::vector<SeenValue>& seen) {
    SeenValue found{.expression = expression_.text(id), .value = {}};
    const bool known = std::any_of(seen.begin(), seen.end(), [&](const SeenValue& other) {
      return other.expression == found.expression;
    });
    if (known) return;
    const Value* value = evaluator_.evaluate(expression_, id);
    found.value = value == nullptr ? evaluator_.error() : value->to_cedar(kMaxValueBytes);
    seen.push_back(std::move(found));
  }

  const Expression& expression_;
  Evaluator& evaluator_;
  std::size_t room_;
  std::vector<Check>& checks_;
};

ExplainedPolicy explain_policy(const Policy& policy, Evaluator& evaluator) {
  ExplainedPolicy explained{.id = policy.id, .effect = policy.effect, .annotations = policy.annotations};
  explained.outcome = evaluate_conditions(policy, evaluator);
  bool reached = true;
  std::size_t room = kMaxChecks;
  for (const Condition& condition : policy.conditions) {
    ExplainedCondition& part = explained.conditions.emplace_back();
    part.unless = condition.unless;
    part.truth =
        ConditionWalk(*policy.expression, evaluator, room, part.checks).walk(condition.root, reached);
    room -= part.checks.size();
    reached = reached && part.truth == (condition.unless ? Truth::kFalse : Truth::kTrue);
  }
  return explained;
}

}  // namespace

Explanation explain(const Authorizer& authorizer, const Request& request, const Entities& entities,
                    const Decision& decision) {
  Explanation explanation;
  Evaluator evaluator(request, entities);
  const auto add = [&](const Policy* policy, std::vector<ExplainedPolicy>& list) {
    if (policy != nullptr && list.size() < kMaxExplainedPolicies)
      list.push_back(explain_policy(*policy, evaluator));
  };
  const PolicySet& policies = authorizer.policies();
  for (const std::string& id : decision.determining) add(policies.find(id), explanation.determining);
  for (const PolicyError& error : decision.errors) add(policies.find(error.policy), explanation.errors);
  const bool nothing_permitted = decision.verdict == Verdict::kDeny && decision.determining.empty();
  if (!nothing_permitted || decision.denied_by_error) return explanation;
  for (const Policy& policy : policies.policies()) {
    if (policy.effect != Effect::kPermit || !in_scope(policy, request, entities)) continue;
    if (evaluate_conditions(policy, evaluator) == Outcome::kUnsatisfied) add(&policy, explanation.unmet);
  }
  return explanation;
}

}  // namespace holdfast::policy
