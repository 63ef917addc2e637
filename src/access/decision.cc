#include "access/decision.h"

#include <fmt/format.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "access/vocabulary.h"
#include "base/json.h"

namespace holdfast::access {
namespace {

using base::ErrorCode;
using base::Result;
using nlohmann::json;

// Of the policies and errors that a record or a message names: the log bounds what it takes.
constexpr std::size_t kMaxNamed = 20;
constexpr std::size_t kMaxErrorBytes = 200;
constexpr std::size_t kMaxResourceBytes = 1000;  // a refusal of something longer is to be recorded too

json named(const std::vector<std::string>& ids) {
  json all = json::array();
  for (std::size_t i = 0; i < std::min(ids.size(), kMaxNamed); ++i) all.push_back(ids[i]);
  return all;
}

// Up to `most` bytes, without half a character of UTF-8 at the end.
std::string shortened(std::string_view text, std::size_t most) {
  if (text.size() <= most) return std::string(text);
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0U) == 0x80U) --most;
  return std::string(text.substr(0, most)) + "...";
}

std::string joined(const std::vector<std::string>& ids) {
  std::string all;
  for (std::size_t i = 0; i < std::min(ids.size(), kMaxNamed); ++i) all += (i == 0 ? "" : ", ") + ids[i];
  return all;
}

}  // namespace

std::string_view to_string(ResourceType type) {
  switch (type) {
    case ResourceType::kWorkspace:
      return "Workspace";
    case ResourceType::kPrincipal:
      return "Principal";
    case ResourceType::kDataset:
      return "Dataset";
    case ResourceType::kModel:
      return "Model";
    case ResourceType::kVersion:
      return "Version";
    case ResourceType::kEndpoint:
      return "Endpoint";
    case ResourceType::kRun:
      return "Run";
    case ResourceType::kPolicy:
      return "Policy";
  }
  return "Workspace";
}

std::string Resource::text() const { return resource_entity(*this).text(); }

std::string Caller::text() const { return principal_entity(workspace_, kind_, id_).text(); }

bool Authorised::is_for(Action action, ResourceType type, const base::WorkspaceId& workspace,
                        std::string_view id) const {
  return action_ == action && resource_.type == type && resource_.workspace == workspace &&
         resource_.id == id;
}

std::string Decided::why() const {
  const std::string what = fmt::format("{} {} {} on {}", caller_.name(), allowed() ? "may" : "may not",
                                       info(action_).name, shortened(resource_.text(), kMaxErrorBytes));
  if (!reason_.empty()) return fmt::format("{}: {}", what, reason_);
  if (decision_.denied_by_error) {
    return fmt::format("{}: the policy {} could not be evaluated, and this action is not allowed on a doubt",
                       what, decision_.errors.empty() ? "" : decision_.errors.front().policy);
  }
  if (decision_.determining.empty()) return fmt::format("{}: no policy permits it", what);
  std::string sentence =
      fmt::format("{}: {} by {}", what, allowed() ? "permitted" : "forbidden", joined(decision_.determining));
  for (const auto& remedy : remedies_)
    sentence += fmt::format("; to do: {}", shortened(remedy, kMaxErrorBytes));
  return sentence;
}

Result<Authorised> Decided::authorised(std::optional<Receipt> receipt) const {
  if (!allowed()) return base::fail(ErrorCode::kPermissionDenied, why());
  Authorised proof(caller_, action_, resource_, decision_.determining);
  proof.receipt_ = receipt;
  return proof;
}

Result<Entry> Decided::entry() const { return entry(json::object()); }

Result<Entry> Decided::entry(const json& details) const {
  json all{{"name", caller_.name()}, {"policies", named(decision_.determining)}};
  if (caller_.is_local_operator()) all["local"] = true;
  if (!reason_.empty()) all["reason"] = reason_;
  if (decision_.denied_by_error) all["denied_by_error"] = true;
  for (std::size_t i = 0; i < std::min(decision_.errors.size(), kMaxNamed); ++i) {
    const policy::PolicyError& error = decision_.errors[i];
    all["errors"].push_back(
        {{"policy", error.policy}, {"message", shortened(error.message, kMaxErrorBytes)}});
  }
  if (!details.empty()) all["about"] = details;
  HF_TRY(std::string text, base::canonical_json(all));
  return Entry{.workspace = caller_.workspace(),
               .actor = caller_.text(),
               .action = std::string(info(action_).name),
               .resource = shortened(resource_.text(), kMaxResourceBytes),
               .decision = allowed() ? "allow" : "deny",
               .details = std::move(text)};
}

}  // namespace holdfast::access
