#pragma once

#include <optional>

#include "base/bytes.h"
#include "base/file.h"
#include "base/result.h"
#include "worker/await.h"
#include "worker/frame.h"

namespace holdfast::worker {

struct Frame {
  base::Bytes bytes;
  base::UniqueFd descriptor;  // invalid when none came with it
};

// Whether a frame may bring a descriptor.
enum class Descriptors { kRefuse, kAccept };

// One end of the connection between a worker and the process that started it: frames (worker/frame.h) over a
// Unix stream socket. Both sides use it. After an error it is out of step and of no more use: every later
// call fails. Not thread-safe. No call raises SIGPIPE; a signal that interrupts one does not end it.
class Channel {
 public:
  // `tail`, where given, is drained while the channel waits, and outlives it.
  explicit Channel(base::UniqueFd socket, StderrTail* tail = nullptr)
      : socket_(std::move(socket)), tail_(tail) {}

  // Sends one frame, and a copy of `descriptor` with it unless that is negative. kLimitExceeded beyond
  // kMaxFrameBytes (nothing was sent, and the channel stays usable); kUnavailable when the other side is
  // gone; kDeadline.
  base::Result<> send(base::ByteView bytes, Deadline deadline, int descriptor = -1);

  // The next frame, or none when the other side closed the connection between two frames. kDataCorrupt when
  // it did so within one, or when a descriptor came that is refused, is not alone, or did not come at the
  // frame's beginning: all that came are closed. kLimitExceeded for a frame beyond kMaxFrameBytes;
  // kDeadline.
  base::Result<std::optional<Frame>> receive(Deadline deadline,
                                             Descriptors descriptors = Descriptors::kRefuse);

  // The other side sees the end of the stream.
  void close() { socket_.reset(); }
  [[nodiscard]] bool usable() const { return socket_.valid() && !broken_; }

 private:
  base::Result<> send_whole(base::ByteView bytes, Deadline deadline, int descriptor);
  base::Result<std::optional<Frame>> receive_whole(Deadline deadline, Descriptors descriptors);

  base::UniqueFd socket_;
  // Set by the first error. The socket stays open until close(), so that a worker that is late is stopped
  // for that, and never first ended by a SIGPIPE of our making.
  bool broken_ = false;
  StderrTail* tail_;
};

}  // namespace holdfast::worker
