#include "worker/channel.h"

#include <fcntl.h>
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <thread>

#include "worker/stderr_tail.h"

namespace holdfast::worker {
namespace {

using base::Bytes;
using base::ByteView;
using base::ErrorCode;
using base::UniqueFd;
using std::chrono::milliseconds;
using ::testing::HasSubstr;

constexpr milliseconds kPatience{20'000};
constexpr milliseconds kMoment{20};

struct Ends {
  UniqueFd near;
  UniqueFd far;
};

Ends sockets() {
  std::array<int, 2> ends{};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

std::size_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

// Sends bytes with `count` descriptors, in one message and past the Channel.
void send_raw(int socket, ByteView bytes, std::size_t count) {
  std::array<char, CMSG_SPACE(16 * sizeof(int))> control{};
  iovec part{const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  constexpr int kDescriptor = STDERR_FILENO;
  if (count > 0) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof(int));
    for (std::size_t i = 0; i < count; ++i) {
      std::memcpy(CMSG_DATA(header) + i * sizeof(int), &kDescriptor, sizeof(int));
    }
  }
  ASSERT_EQ(::sendmsg(socket, &message, 0), static_cast<ssize_t>(bytes.size()));
}

// The next frame, which must come.
Frame must_receive(Channel& channel, Descriptors descriptors = Descriptors::kRefuse) {
  auto frame = channel.receive(deadline_in(kPatience), descriptors);
  if (frame && *frame) return std::move(**frame);
  ADD_FAILURE() << (frame ? "the channel is closed" : frame.error().message);
  return {};
}

TEST(Channel, CarriesFramesInBothDirections) {
  auto ends = sockets();
  Channel here(std::move(ends.near));
  Channel there(std::move(ends.far));
  ASSERT_TRUE(here.send(base::as_bytes("one"), deadline_in(kPatience)));
  ASSERT_TRUE(here.send({}, deadline_in(kPatience)));
  ASSERT_TRUE(there.send(base::as_bytes("back"), deadline_in(kPatience)));
  EXPECT_EQ(base::as_text(must_receive(there).bytes), "one");
  EXPECT_TRUE(must_receive(there).bytes.empty());
  EXPECT_EQ(base::as_text(must_receive(here).bytes), "back");
}

TEST(Channel, CarriesAFrameThatNoSocketBufferHolds) {
  auto ends = sockets();
  Channel here(std::move(ends.near));
  Channel there(std::move(ends.far));
  Bytes large(kMaxFrameBytes);
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<std::uint8_t>(i * 31 >> 7);
  std::thread sender([&] { EXPECT_TRUE(here.send(large, deadline_in(kPatience))); });
  const auto frame = must_receive(there);
  sender.join();
  EXPECT_TRUE(frame.bytes == large);
}

TEST(Channel, RefusesToSendAFrameBeyondTheLimitAndStaysUsable) {
  auto ends = sockets();
  Channel here(std::move(ends.near));
  EXPECT_EQ(here.send(Bytes(kMaxFrameBytes + 1), kNoDeadline).error().code, ErrorCode::kLimitExceeded);
  EXPECT_TRUE(here.usable());
  EXPECT_TRUE(here.send(base::as_bytes("small"), deadline_in(kPatience)));
}

TEST(Channel, GivesNoneWhenTheOtherSideCloses) {
  auto ends = sockets();
  Channel here(std::move(ends.near));
  ends.far.reset();
  EXPECT_FALSE(here.receive(kNoDeadline).value().has_value());
}

TEST(Channel, GivesNoneWhenTheOtherSideClosesWithoutReadingWhatItWasSent) {
  auto ends = sockets();
  Channel here(std::move(ends.near));
  ASSERT_TRUE(here.send(base::as_bytes("unread"), deadline_in(kPatience)));
  ends.far.reset();
  EXPECT_FALSE(here.receive(kNoDeadline).value().has_value());
}

TEST(Channel, TellsAStreamThatIsCutAtAnyByteOfAFrame) {
  const Bytes stream{5, 0, 0, 0, 'f', 'r', 'a', 'm', 'e'};
  for (std::size_t size = 1; size < stream.size(); ++size) {
    auto ends = sockets();
    Channel here(std::move(ends.near));
    send_raw(ends.far.get(), ByteView(stream).first(size), 0);
    ends.far.reset();
    EXPECT_EQ(here.receive(deadline_in(kPatience)).error().code, ErrorCode::kDataCorrupt) << size;
    EXPECT_FALSE(here.usable());
    EXPECT_EQ(here.receive(deadline_in(kPatience)).error().code, ErrorCode::kUnavailable) << size;
  }
}

TEST(Channel, SendingToAClosedSideFailsWithoutASignal) {
  auto ends = sockets();
  Channel here(std::move(ends.near));
  ends.far.reset();
  EXPECT_EQ(here.send(base::as_bytes("lost"), kNoDeadline).error().code, ErrorCode::kUnavailable);
}

TEST(Channel, GivesUpAtTheDeadline) {
  auto ends = sockets();
  Channel silent(std::move(ends.near));
  EXPECT_EQ(silent.receive(deadline_in(kMoment)).error().code, ErrorCode::kDeadline);
  ends = sockets();
  Channel unread(std::move(ends.near));
  EXPECT_EQ(unread.send(Bytes(8UL << 20), deadline_in(kMoment)).error().code, ErrorCode::kDeadline);
}

TEST(Channel, OutlastsSignals) {
  struct sigaction action{};
  action.sa_handler = [](int) {};  // without SA_RESTART: poll(2) ends with EINTR
  struct sigaction before{};
  ASSERT_EQ(::sigaction(SIGALRM, &action, &before), 0);
  const itimerval often{{0, 1000}, {0, 1000}};
  ASSERT_EQ(::setitimer(ITIMER_REAL, &often, nullptr), 0);
  auto ends = sockets();
  Channel here(std::move(ends.near));
  EXPECT_EQ(here.receive(deadline_in(kMoment)).error().code, ErrorCode::kDeadline);
  const itimerval never{};
  ASSERT_EQ(::setitimer(ITIMER_REAL, &never, nullptr), 0);
  ASSERT_EQ(::sigaction(SIGALRM, &before, nullptr), 0);
}

TEST(Channel, CarriesOneDescriptorWithAFrame) {
  auto ends = sockets();
  Channel here(std::move(ends.near));
  Channel there(std::move(ends.far));
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  const UniqueFd reading(pipe[0]);
  UniqueFd writing(pipe[1]);
  ASSERT_TRUE(here.send(base::as_bytes("take this"), deadline_in(kPatience), writing.get()));
  ASSERT_TRUE(here.send(base::as_bytes("and nothing"), deadline_in(kPatience)));
  writing.reset();
  const auto frame = must_receive(there, Descriptors::kAccept);
  ASSERT_TRUE(frame.descriptor.valid());
  EXPECT_FALSE(must_receive(there, Descriptors::kAccept).descriptor.valid());
  ASSERT_TRUE(base::write_full(frame.descriptor.get(), base::as_bytes("!")));
  std::array<std::uint8_t, 1> read{};
  EXPECT_EQ(base::read_full(reading.get(), read).value(), 1U);
}

struct Smuggled {
  const char* what;
  std::vector<std::pair<Bytes, std::size_t>> messages;  // the bytes, and how many descriptors with them
  Descriptors allowed;
  const char* refusal;
};

TEST(Channel, ClosesEveryDescriptorThatMayNotCome) {
  const std::vector<Smuggled> cases{
      {"unasked", {{{1, 0, 0, 0, 'x'}, 1}}, Descriptors::kRefuse, "unasked"},
      {"many unasked", {{{1, 0, 0, 0, 'x'}, 16}}, Descriptors::kRefuse, "unasked"},
      {"two", {{{1, 0, 0, 0, 'x'}, 2}}, Descriptors::kAccept, "more than one"},
      {"more than fit", {{{1, 0, 0, 0, 'x'}, 16}}, Descriptors::kAccept, "more than one"},
      {"within the body", {{{2, 0, 0, 0, 'x'}, 1}, {{'y'}, 1}}, Descriptors::kAccept, "middle"},
      {"in a frame that is too large", {{{0, 0, 0, 255}, 1}}, Descriptors::kAccept, "at most"},
      {"in a frame that is cut", {{{9, 0, 0, 0}, 1}}, Descriptors::kAccept, "closed the connection"},
  };
  for (const auto& [what, messages, allowed, refusal] : cases) {
    const std::size_t before = open_descriptors();
    {
      auto ends = sockets();
      Channel here(std::move(ends.near));
      for (const auto& [bytes, count] : messages) send_raw(ends.far.get(), bytes, count);
      ends.far.reset();
      const auto frame = here.receive(deadline_in(kPatience), allowed);
      ASSERT_FALSE(frame.has_value()) << what;
      EXPECT_THAT(frame.error().message, HasSubstr(refusal)) << what;
    }
    EXPECT_EQ(open_descriptors(), before) << what;
  }
}

TEST(StderrTail, KeepsTheLastBytesAndNoControlCharacter) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0);
  StderrTail tail{UniqueFd(ends[0])};
  UniqueFd writing(ends[1]);
  const std::string long_text(3 * StderrTail::kKept, 'x');
  ASSERT_TRUE(base::write_full(writing.get(), base::as_bytes(long_text)));
  ASSERT_TRUE(base::write_full(writing.get(), base::as_bytes("\x1b[2J\xff the end\n")));
  tail.drain();
  EXPECT_EQ(tail.text().size(), StderrTail::kKept);
  EXPECT_TRUE(tail.text().ends_with("xxx?[2J? the end\n"));
  writing.reset();
  tail.drain();
  EXPECT_EQ(tail.descriptor(), -1);
}

}  // namespace
}  // namespace holdfast::worker
