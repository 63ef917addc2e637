#include "govern/deliveries.h"

#include <nlohmann/json.hpp>

#include "alerts/alerts.h"
#include "base/bytes.h"
#include "base/json.h"
#include "store/outbox.h"

namespace holdfast::govern {

using base::Result;

Result<std::map<std::int64_t, std::uint64_t>> delivered_messages(const store::Snapshot& snapshot,
                                                                 const base::WorkspaceId& workspace) {
  HF_TRY(const auto bodies,
         store::Outbox::newest_delivered(snapshot, workspace, alerts::kMessageKind, kMaxDeliveries));
  std::map<std::int64_t, std::uint64_t> delivered;
  for (const auto& body : bodies) {
    const auto message = base::parse_json(base::as_text(body));
    if (!message) continue;
    const nlohmann::json::json_pointer id("/alert/id");
    if (message->contains(id) && (*message)[id].is_number_integer()) {
      ++delivered[(*message)[id].get<std::int64_t>()];
    }
  }
  return delivered;
}

}  // namespace holdfast::govern
