#include "base/assert.h"
#include "net/address.h"
#include "net/egress.h"
#include "net/url.h"

// An address that is read is written so that it reads the same, and its host is a name or an address, in one
// form.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast::net;
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const auto url = Url::parse(text)) {
    HF_ASSERT(Url::parse(url->text()) == *url);
    HF_ASSERT(is_target(url->target));
    const auto address = IpAddress::parse(url->host);
    HF_ASSERT(!address || address->text() == url->host);
    HF_ASSERT(!EgressPolicy().permit(*url));
  }
  const std::vector<std::string> list{text};
  if (const auto policy = EgressPolicy::parse(list)) {
    const EgressEntry& entry = policy->entries()[0];
    const Url url{
        .scheme = entry.scheme, .host = (entry.wildcard ? "a." : "") + entry.host, .port = entry.port};
    HF_ASSERT(Url::parse(url.text()) == url);
    HF_ASSERT(policy->permit(url).has_value());
  }
  return 0;
}
