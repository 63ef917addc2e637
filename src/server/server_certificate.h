#pragma once

#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/time.h"
#include "crypto/x509_authority.h"

namespace holdfast::server {

// The certificate of the server and its key, which are in memory alone: made anew at each start, and again
// before they expire. Thread-safe.
class ServerCertificate {
 public:
  static constexpr std::chrono::days kLife{90};
  static constexpr std::chrono::days kRenewBefore{30};  // its end

  struct Issued {
    std::string chain_pem;
    base::Secret key_pem;
    base::Timestamp ends;
  };

  // `names` are DNS names and addresses. `clock` outlives it.
  ServerCertificate(crypto::CertificateAuthority authority, const std::vector<std::string>& names,
                    const base::Clock& clock);

  // A new one, with a new key. Its life ends with the authority's at the latest; kUnavailable once that has
  // ended.
  base::Result<Issued> issue();
  // Whether the newest that was issued ends within kRenewBefore, or none was.
  [[nodiscard]] bool due();

 private:
  crypto::CertificateAuthority authority_;
  crypto::ServerNames names_;
  const base::Clock* clock_;
  base::Mutex mutex_;
  base::Timestamp ends_ HF_GUARDED_BY(mutex_);
};

}  // namespace holdfast::server
