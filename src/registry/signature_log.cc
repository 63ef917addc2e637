#include "registry/signature_log.h"

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "trust/decide.h"

namespace holdfast::registry {

base::Result<audit::TlogProof> log_signature(const Parts& parts, const access::Authorised& authorised,
                                             const OutsideSignature& signature) {
  const auto& resource = authorised.resource();
  if (!authorised.is_for(access::Action::kAddEvidence, access::ResourceType::kModel,
                         authorised.caller().workspace(), resource.id)) {
    return base::fail(base::ErrorCode::kPermissionDenied,
                      "what was decided was not the record of a signature");
  }
  nlohmann::json details{{trust::kBundleMember, signature.bundle.prefixed()},
                         {"signer", signature.signer.prefixed()},
                         {"root", signature.root.prefixed()}};
  if (!signature.version.empty()) details["version"] = signature.version;
  HF_TRY(std::string text, base::canonical_json(details));
  HF_TRY(const auto receipt, parts.log.append({.workspace = authorised.caller().workspace(),
                                               .actor = authorised.caller().text(),
                                               .action = std::string(trust::kLogSignature),
                                               .resource = resource.text(),
                                               .decision = "allow",
                                               .details = std::move(text)}));
  return parts.log.prove(receipt.index);
}

}  // namespace holdfast::registry
