#include "worker/child.h"

#include <unistd.h>

#include <cstdlib>
#include <new>

#include "worker/exit.h"
#include "worker/handshake.h"

namespace holdfast::worker {

using base::ErrorCode;
using base::fail;
using base::Result;

namespace {

constexpr std::chrono::seconds kGreetingTime{10};

Result<JailReport> obey(const char* text) {
  HF_TRY(const Orders orders, decode_orders(text));
  return enter_jail(orders.jail, orders.parent);
}

}  // namespace

Result<Channel> begin_work() {
  const char* orders = std::getenv(kOrdersVariable);
  if (orders == nullptr) {
    return fail(ErrorCode::kInvalidArgument, "this program is started by holdfast itself, not by hand");
  }
  std::set_new_handler([] { ::_exit(kExitOutOfMemory); });
  Channel channel{base::UniqueFd(kChannelDescriptor)};
  const auto report = obey(orders);
  HF_CHECK(channel.send(encode_greeting(report), deadline_in(kGreetingTime)));
  if (!report) return fail(report.error());
  return channel;
}

}  // namespace holdfast::worker
