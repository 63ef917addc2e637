#include "alerts/delivery.h"

#include <fmt/format.h>
#include <gmock/gmock-matchers.h>

#include <latch>

#include <nlohmann/json.hpp>

#include "alerts/testing.h"
#include "base/json.h"
#include "base/mutex.h"
#include "net/testing.h"

namespace holdfast::alerts {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using store::MessageState;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

// The value of a header of a request; empty where it is absent.
std::string header(const std::string& request, const std::string& name) {
  const std::size_t begin = request.find("\r\n" + name + ": ");
  if (begin == std::string::npos) return {};
  const std::size_t value = begin + name.size() + 4;
  return request.substr(value, request.find("\r\n", value) - value);
}

std::string body(const std::string& request) { return request.substr(request.find("\r\n\r\n") + 4); }

// A receiver that keeps what it got, and answers as it is told.
class Receiver {
 public:
  [[nodiscard]] std::string url() const { return "http://" + server_.authority() + "/hook"; }
  [[nodiscard]] std::string entry() const { return "http://" + server_.authority(); }
  [[nodiscard]] int connections() const { return server_.connections(); }
  void answer(std::string status) {
    const base::MutexLock lock(mutex_);
    status_ = std::move(status);
  }
  [[nodiscard]] std::vector<std::string> requests() {
    const base::MutexLock lock(mutex_);
    return requests_;
  }
  void wait_for(std::size_t count) {
    const base::MutexLock lock(mutex_);
    while (requests_.size() < count) arrived_.wait(mutex_);
  }

 private:
  void take(net::TestPeer& peer, const std::string& request) {
    std::string status;
    {
      const base::MutexLock lock(mutex_);
      status = status_;
      requests_.push_back(request);
    }
    peer.answer("", status, "Location: http://127.0.0.1:1/\r\n");
    arrived_.notify_all();
  }

  base::Mutex mutex_;
  base::ConditionVariable arrived_;
  std::string status_ HF_GUARDED_BY(mutex_) = "204 No Content";
  std::vector<std::string> requests_ HF_GUARDED_BY(mutex_);
  net::TestServer server_{[this](net::TestPeer& peer, const std::string& request) { take(peer, request); }};
};

class DeliveryTest : public AlertsFixture {
 protected:
  void allow(std::vector<std::string> entries) {
    client_ = std::make_unique<net::HttpClient>(
        net::HttpClient::create({.egress = net::EgressPolicy::parse(entries).value()}).value());
  }
  Delivery::Parts parts() {
    return {.database = database_.get(),
            .outbox = &outbox_,
            .client = client_.get(),
            .key = &key_,
            .clock = &clock_};
  }
  bool deliver() { return deliver_next(parts(), options_).value(); }
  store::MessageStatus status(std::int64_t id) {
    return outbox_.status(snapshot(), kDefault, store::MessageId(id)).value();
  }
  // Another subject each, so that each is a message.
  void raise_about(const std::string& subject) {
    auto one = signal();
    one.subject = subject;
    ASSERT_TRUE(raise(one));
  }
  static std::vector<std::string> subjects(const std::vector<std::string>& requests) {
    std::vector<std::string> subjects;
    for (const auto& request : requests) {
      subjects.push_back(base::parse_json(body(request)).value()["alert"]["subject"]);
    }
    return subjects;
  }

  Receiver receiver_;
  std::unique_ptr<net::HttpClient> client_;
  const DeliveryOptions options_{.deadline = seconds(10), .poll = seconds(60), .threads = 2};
};

TEST_F(DeliveryTest, PostsASignedMessage) {
  allow({receiver_.entry()});
  put("pager", receiver_.url());
  ASSERT_TRUE(raise(signal()));
  EXPECT_TRUE(deliver());
  EXPECT_FALSE(deliver());
  ASSERT_EQ(receiver_.requests().size(), 1UL);
  const std::string request = receiver_.requests()[0];
  EXPECT_THAT(request, StartsWith("POST /hook HTTP/1.1\r\n"));
  EXPECT_EQ(header(request, "Content-Type"), "application/json");
  EXPECT_EQ(header(request, "X-Holdfast-Event"), "alert");
  EXPECT_EQ(header(request, "X-Holdfast-Delivery"), "default/1");
  EXPECT_EQ(header(request, "X-Holdfast-Timestamp"), "1764000000");
  EXPECT_EQ(header(request, "X-Holdfast-Signature-256"),
            sign_message(base::Secret::copy_of(base::as_bytes(kSecret)), "1764000000",
                         base::as_bytes(body(request))));
  EXPECT_EQ(base::parse_json(body(request)).value()["event"], "opened");
  EXPECT_EQ(status(1).state, MessageState::kDelivered);
}

TEST_F(DeliveryTest, AMessageWhoseDelivererDiedGoesOutAgain) {
  allow({receiver_.entry()});
  put("pager", receiver_.url());
  ASSERT_TRUE(raise(signal()));
  // What a deliverer does that is killed between its lease and its report.
  ASSERT_TRUE(in_transaction([&](store::Transaction& t) { return outbox_.lease(t, seconds(40)); }).value());
  reopen();
  EXPECT_FALSE(deliver());
  clock_.advance(seconds(40));
  EXPECT_TRUE(deliver());
  EXPECT_EQ(status(1).state, MessageState::kDelivered);
  EXPECT_EQ(status(1).attempts, 2);
  EXPECT_EQ(header(receiver_.requests().at(0), "X-Holdfast-Delivery"), "default/1");
}

TEST_F(DeliveryTest, KeepsTheOrderThroughFailures) {
  allow({receiver_.entry()});
  put("pager", receiver_.url());
  for (const auto* subject : {"a", "b", "c"}) raise_about(subject);
  receiver_.answer("503 Service Unavailable");
  EXPECT_TRUE(deliver());
  EXPECT_EQ(status(1).state, MessageState::kPending);
  EXPECT_THAT(status(1).last_error, HasSubstr("the receiver answered 503"));
  EXPECT_FALSE(deliver());
  receiver_.answer("200 OK");
  clock_.advance(seconds(4));
  while (deliver()) {
  }
  EXPECT_THAT(subjects(receiver_.requests()), ElementsAre("a", "a", "b", "c"));
}

TEST_F(DeliveryTest, ADestinationOffTheEgressListIsRefusedAndTheReasonKept) {
  allow({"hooks.example.com:443"});
  put("pager", receiver_.url());
  ASSERT_TRUE(raise(signal()));
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(deliver());
    EXPECT_THAT(status(1).last_error, HasSubstr("add \"" + receiver_.entry() + "\" to egress.allow"));
    clock_.advance(seconds(10));
  }
  EXPECT_EQ(status(1).state, MessageState::kGivenUp);
  EXPECT_EQ(receiver_.connections(), 0);
}

TEST_F(DeliveryTest, AMessageThatIsGivenUpLetsTheNextOnePass) {
  allow({receiver_.entry()});
  put("pager", receiver_.url());
  raise_about("a");
  raise_about("b");
  receiver_.answer("302 Found");
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(deliver());
    clock_.advance(seconds(10));
  }
  EXPECT_EQ(status(1).state, MessageState::kGivenUp);
  EXPECT_THAT(status(1).last_error, HasSubstr("redirects are not followed"));
  receiver_.answer("200 OK");
  EXPECT_TRUE(deliver());
  EXPECT_EQ(status(2).state, MessageState::kDelivered);
}

TEST_F(DeliveryTest, OneWebhookDoesNotWaitForAnother) {
  Receiver other;
  allow({receiver_.entry(), other.entry()});
  put("chat", receiver_.url());
  put("pager", other.url());
  receiver_.answer("500 Internal Server Error");
  raise_about("a");
  raise_about("b");
  while (deliver()) {
  }
  EXPECT_THAT(subjects(other.requests()), ElementsAre("a", "b"));
  EXPECT_THAT(subjects(receiver_.requests()), ElementsAre("a"));
}

TEST_F(DeliveryTest, WhatHasNoWebhookFailsWithTheReason) {
  allow({receiver_.entry()});
  put("pager", receiver_.url());
  ASSERT_TRUE(raise(signal()));
  ASSERT_TRUE(in_transaction(
      [&](store::Transaction& t) { return remove_webhook(t, kDefault, "pager", recorded(8)); }));
  ASSERT_TRUE(in_transaction([&](store::Transaction& t) {
    return outbox_.post(t, {.workspace = kDefault, .destination = "elsewhere", .kind = "x", .body = {}});
  }));
  EXPECT_TRUE(deliver());
  EXPECT_TRUE(deliver());
  EXPECT_THAT(status(1).last_error, HasSubstr("there is no webhook \"pager\""));
  EXPECT_THAT(status(2).last_error, HasSubstr("elsewhere is no webhook"));
}

TEST_F(DeliveryTest, TheWorkerSendsWhenItIsWoken) {
  allow({receiver_.entry()});
  put("pager", receiver_.url());
  Delivery delivery(parts(), options_);
  for (std::size_t i = 1; i <= 5; ++i) {
    raise_about(std::to_string(i));
    delivery.wake();
    receiver_.wait_for(i);
  }
  EXPECT_THAT(subjects(receiver_.requests()), ElementsAre("1", "2", "3", "4", "5"));
}

TEST_F(DeliveryTest, TheWorkerFindsWhatWasPostedBeforeItsStart) {
  allow({receiver_.entry()});
  put("pager", receiver_.url());
  ASSERT_TRUE(raise(signal()));
  reopen();
  const Delivery delivery(parts(), options_);
  receiver_.wait_for(1);
}

TEST_F(DeliveryTest, StoppingEndsAPostThatIsUnderWayAndItGoesOutAgain) {
  std::latch arrived(1);
  std::atomic<bool> silent = true;
  const net::TestServer server([&](net::TestPeer& peer, const std::string&) {
    if (!silent.exchange(false)) return peer.answer("");
    arrived.count_down();
    peer.wait_until_closed();
  });
  allow({"http://" + server.authority()});
  put("pager", fmt::format("http://{}/", server.authority()));
  ASSERT_TRUE(raise(signal()));
  {
    const DeliveryOptions patient{.deadline = std::chrono::minutes(10), .poll = seconds(60), .threads = 1};
    const Delivery delivery(parts(), patient);
    arrived.wait();
  }
  EXPECT_EQ(status(1).state, MessageState::kPending);
  clock_.advance(seconds(4));
  EXPECT_TRUE(deliver());
  EXPECT_EQ(status(1).state, MessageState::kDelivered);
}

TEST_F(DeliveryTest, AReportThatComesTooLateChangesNothing) {
  allow({receiver_.entry()});
  const net::TestServer server([&](net::TestPeer& peer, const std::string&) {
    // While this one is slow, its lease runs out and another deliverer takes over.
    clock_.advance(std::chrono::minutes(5));
    EXPECT_TRUE(in_transaction([&](store::Transaction& t) { return outbox_.lease(t, seconds(40)); }).value());
    peer.answer("");
  });
  allow({"http://" + server.authority()});
  put("pager", fmt::format("http://{}/", server.authority()));
  ASSERT_TRUE(raise(signal()));
  EXPECT_TRUE(deliver());
  EXPECT_EQ(status(1).state, MessageState::kPending);
  EXPECT_EQ(status(1).attempts, 2);
}

}  // namespace
}  // namespace holdfast::alerts
