#pragma once

#include "audit/record.h"
#include "base/result.h"

namespace holdfast::access {

// One decision, sign-in or change. Its actor is Person::"default/5f..", or unknown:"name" where a sign-in
// named nobody; its action one of actions.h, or signIn, changePassword, revokeToken; its resource
// Endpoint::"default/credit"; its decision "allow" or "deny".
using Entry = audit::Record;
using audit::Receipt;

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
