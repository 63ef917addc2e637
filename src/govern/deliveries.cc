#include "govern/deliveries.h"

#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "base/json.h"

namespace holdfast::govern {

using base::Result;
using store::Sql;

Result<std::map<std::int64_t, std::uint64_t>> delivered_messages(const store::Snapshot& snapshot,
                                                                 const base::WorkspaceId& workspace) {
  // The outbox knows a message by its number alone, which nobody keeps: its table is read here, and only
  // read.
  HF_TRY(const auto rows, snapshot.rows<base::Bytes>(
                              Sql("SELECT body FROM outbox_messages WHERE workspace = $1 AND kind = 'alert'"
                                  " AND state = 'delivered' ORDER BY id DESC LIMIT $2"),
                              workspace, kMaxDeliveries));
  std::map<std::int64_t, std::uint64_t> delivered;
  for (const auto& [body] : rows) {
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
