#include "worker/channel.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

namespace holdfast::worker {

using base::ByteView;
using base::ErrorCode;
using base::fail;
using base::MutableByteView;
using base::Result;
using base::UniqueFd;

namespace {

// Room for more than the one descriptor that may come: the kernel installs those that fit and drops the
// others, and flags it (MSG_CTRUNC).
constexpr std::size_t kMaxDescriptors = 4;

union Control {
  cmsghdr aligned;
  std::array<char, CMSG_SPACE(kMaxDescriptors * sizeof(int))> bytes;
};

struct Piece {
  std::size_t size = 0;  // 0: the other side has closed
  std::vector<UniqueFd> descriptors;
  bool more_descriptors = false;
};

std::vector<UniqueFd> descriptors_of(msghdr& message) {
  std::vector<UniqueFd> owned;
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int descriptor = -1;
      std::memcpy(&descriptor, CMSG_DATA(part) + i * sizeof(int), sizeof(int));
      owned.emplace_back(descriptor);
    }
  }
  return owned;
}

// What is there of the stream, at most `buffer`; waits while there is nothing.
Result<Piece> read_piece(int socket, MutableByteView buffer, Deadline deadline, StderrTail* tail) {
  for (;;) {
    Control control{};
    iovec part{buffer.data(), buffer.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes.data();
    message.msg_controllen = control.bytes.size();
    const ssize_t got = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (got >= 0) {
      return Piece{static_cast<std::size_t>(got), descriptors_of(message),
                   (message.msg_flags & MSG_CTRUNC) != 0};
    }
    if (errno == ECONNRESET) return Piece{};
    if (errno == EAGAIN) {
      HF_CHECK(await(socket, POLLIN, deadline, tail));
    } else if (errno != EINTR) {
      return base::fail_errno("cannot receive a frame", errno);
    }
  }
}

// Sends a part of `bytes`, after the header's rest, and gives the count; waits while there is no room.
Result<std::size_t> write_piece(int socket, ByteView header, ByteView bytes, int descriptor,
                                Deadline deadline, StderrTail* tail) {
  // sendmsg(2) only reads from them.
  std::array<iovec, 2> parts{{{const_cast<std::uint8_t*>(header.data()), header.size()},
                              {const_cast<std::uint8_t*>(bytes.data()), bytes.size()}}};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  Control control{};
  if (descriptor >= 0) {
    message.msg_control = control.bytes.data();
    message.msg_controllen = CMSG_SPACE(sizeof(int));
    cmsghdr* part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(part), &descriptor, sizeof(int));
  }
  for (;;) {
    const ssize_t put = ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (put >= 0) return static_cast<std::size_t>(put);
    if (errno == EAGAIN) {
      HF_CHECK(await(socket, POLLOUT, deadline, tail));
    } else if (errno == EPIPE || errno == ECONNRESET) {
      return fail(ErrorCode::kUnavailable, "the other side closed the connection");
    } else if (errno != EINTR) {
      return base::fail_errno("cannot send a frame", errno);
    }
  }
}

Result<> check_descriptors(const Piece& piece, bool within_frame, Descriptors allowed) {
  if (piece.descriptors.empty() && !piece.more_descriptors) return {};
  if (allowed == Descriptors::kRefuse) {
    return fail(ErrorCode::kDataCorrupt, "a frame brought a descriptor, unasked");
  }
  if (within_frame) return fail(ErrorCode::kDataCorrupt, "a descriptor came in the middle of a frame");
  if (piece.descriptors.size() != 1 || piece.more_descriptors) {
    return fail(ErrorCode::kDataCorrupt,
                "a frame brought more than one descriptor, or more than this process may hold");
  }
  return {};
}

tl::unexpected<base::Error> fail_closed() {
  return fail(ErrorCode::kUnavailable, "the connection was closed before");
}

}  // namespace

Result<> Channel::send(ByteView bytes, Deadline deadline, int descriptor) {
  if (!usable()) return fail_closed();
  if (bytes.size() > kMaxFrameBytes) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("a frame of {} bytes cannot be sent; at most {} are allowed", bytes.size(),
                            kMaxFrameBytes));
  }
  auto sent = send_whole(bytes, deadline, descriptor);
  broken_ = !sent;
  return sent;
}

Result<> Channel::send_whole(ByteView bytes, Deadline deadline, int descriptor) {
  const auto header_bytes = frame_header(bytes.size());
  ByteView header(header_bytes);
  while (!header.empty() || !bytes.empty()) {
    HF_TRY(const std::size_t put, write_piece(socket_.get(), header, bytes, descriptor, deadline, tail_));
    descriptor = -1;  // it went with the first byte
    const std::size_t of_header = std::min(put, header.size());
    header = header.subspan(of_header);
    bytes = bytes.subspan(put - of_header);
    if (!bytes.empty()) {
      HF_CHECK(check_deadline(deadline));  // a peer that takes a byte at a time never makes us wait
    }
  }
  return {};
}

Result<std::optional<Frame>> Channel::receive(Deadline deadline, Descriptors descriptors) {
  if (!usable()) return fail_closed();
  auto frame = receive_whole(deadline, descriptors);
  broken_ = !frame;
  return frame;
}

Result<std::optional<Frame>> Channel::receive_whole(Deadline deadline, Descriptors descriptors) {
  FrameDecoder decoder;
  Frame frame;
  for (bool whole = false; !whole;) {
    HF_TRY(Piece piece, read_piece(socket_.get(), decoder.wanted(), deadline, tail_));
    if (piece.size == 0 && !decoder.started()) return std::optional<Frame>();
    if (piece.size == 0) {
      return fail(ErrorCode::kDataCorrupt, "the other side closed the connection in the middle of a frame");
    }
    HF_CHECK(check_descriptors(piece, decoder.started(), descriptors));
    if (!piece.descriptors.empty()) frame.descriptor = std::move(piece.descriptors.front());
    HF_TRY(whole, decoder.advance(piece.size));
    if (!whole) HF_CHECK(check_deadline(deadline));  // a peer that gives a byte at a time never makes us wait
  }
  frame.bytes = decoder.take();
  return frame;
}

}  // namespace holdfast::worker
