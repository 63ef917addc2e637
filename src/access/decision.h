#pragma once

#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "access/actions.h"
#include "access/principal.h"
#include "access/recorder.h"
#include "access/resource.h"
#include "base/digest.h"
#include "base/result.h"
#include "policy/authorizer.h"

// Who asks, what was decided, and the proof of it that those who act demand. Values; only this module makes
// them.

namespace holdfast::access {

// Somebody whose identity was established. It holds no right by itself: each decision looks the principal and
// the token up again.
class Caller {
 public:
  [[nodiscard]] const base::WorkspaceId& workspace() const { return workspace_; }
  [[nodiscard]] const PrincipalId& id() const { return id_; }
  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] bool is_local_operator() const { return !token_ && !by_mandate_; }
  [[nodiscard]] const std::string& audience() const { return audience_; }  // of the token; empty without
  [[nodiscard]] std::string text() const;                                  // Person::"default/5f.."

 private:
  friend class Snapshot;
  friend class Access;
  Caller() = default;
  base::WorkspaceId workspace_;
  PrincipalId id_;
  Kind kind_ = Kind::kPerson;
  std::string name_;
  std::string audience_;
  std::optional<base::Digest> token_;  // the digest under which the token is known
  bool by_mandate_ = false;            // not there itself: work that it asked for is done for it (mandate.h)
};

// That this caller may take this action on this resource, as decided a moment ago: use it at once, and demand
// it where the thing is done.
class Authorised {
 public:
  [[nodiscard]] const Caller& caller() const { return caller_; }
  [[nodiscard]] Action action() const { return action_; }
  [[nodiscard]] const Resource& resource() const { return resource_; }
  [[nodiscard]] const std::vector<std::string>& determining() const { return determining_; }  // policies
  // Of the log's record; nothing where the decision was not recorded (Access::decide).
  [[nodiscard]] const std::optional<Receipt>& receipt() const { return receipt_; }
  // Whether it is for this action on this resource. A function that acts checks this first.
  [[nodiscard]] bool is_for(Action action, ResourceType type, const base::WorkspaceId& workspace,
                            std::string_view id) const;

 private:
  friend class Decided;
  Authorised(Caller caller, Action action, Resource resource, std::vector<std::string> determining)
      : caller_(std::move(caller)),
        action_(action),
        resource_(std::move(resource)),
        determining_(std::move(determining)) {}
  Caller caller_;
  Action action_;
  Resource resource_;
  std::vector<std::string> determining_;
  std::optional<Receipt> receipt_;
};

// A decision that is not recorded yet.
class Decided {
 public:
  [[nodiscard]] bool allowed() const { return decision_.verdict == policy::Verdict::kAllow; }
  [[nodiscard]] const policy::Decision& decision() const { return decision_; }
  [[nodiscard]] const Caller& caller() const { return caller_; }
  [[nodiscard]] Action action() const { return action_; }
  [[nodiscard]] const Resource& resource() const { return resource_; }
  [[nodiscard]] std::int64_t generation() const { return generation_; }  // of the snapshot it is by
  // A sentence for the person: "ada may not release on Endpoint::\"default/credit\": no policy permits it".
  // Where policies forbade it, with what each says that would help.
  [[nodiscard]] std::string why() const;
  // kPermissionDenied with why().
  [[nodiscard]] base::Result<Authorised> authorised(std::optional<Receipt> receipt = std::nullopt) const;
  // For the log. `details` is an object of the caller's, kept beside the policies and errors; it is canonical
  // JSON's to take (no floating-point numbers): kUnsupported or kInvalidArgument otherwise.
  [[nodiscard]] base::Result<Entry> entry() const;
  [[nodiscard]] base::Result<Entry> entry(const nlohmann::json& details) const;

 private:
  friend class Snapshot;
  Decided(Caller caller, Action action, Resource resource, std::int64_t generation)
      : caller_(std::move(caller)),
        action_(action),
        resource_(std::move(resource)),
        generation_(generation) {}
  Caller caller_;
  Action action_;
  Resource resource_;
  std::int64_t generation_;
  policy::Decision decision_;
  std::string reason_;                 // why it was refused before any policy was asked; empty otherwise
  std::vector<std::string> remedies_;  // of the policies that forbade it, as their @remedy says
};

}  // namespace holdfast::access
