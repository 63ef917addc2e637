#pragma once

#include <cstdint>
#include <string>

#include "base/digest.h"
#include "base/result.h"
#include "base/strong.h"

namespace holdfast::access {

// What is to be written into the log of one decision or sign-in.
struct Entry {
  base::WorkspaceId workspace;
  std::string actor;     // Person::"default/5f.."; unknown:"name" where a sign-in named nobody
  std::string action;    // of actions.h, or signIn, changePassword, revokeToken
  std::string resource;  // Endpoint::"default/credit"
  std::string decision;  // "allow" or "deny"
  std::string details;   // a JSON object, canonical (RFC 8785)
};

struct Receipt {
  std::uint64_t index = 0;  // in the log
  base::Digest leaf;
};

// The log as this module sees it. Thread-safe. What can't be recorded does not happen.
class Recorder {
 public:
  virtual ~Recorder() = default;
  // Durable on return.
  virtual base::Result<Receipt> record(const Entry& entry) = 0;
  // Accepted on return, durable soon after.
  virtual base::Result<Receipt> note(const Entry& entry) = 0;
};

}  // namespace holdfast::access
