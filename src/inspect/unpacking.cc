#include "inspect/unpacking.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "formats/buffered.h"

namespace holdfast::inspect {

using base::ErrorCode;

base::Result<> UnpackBudget::refuse(std::string message) {
  fault_ = base::Error{ErrorCode::kLimitExceeded, std::move(message)};
  return base::fail(*fault_);
}

base::Result<> UnpackBudget::add_member() {
  if (fault_) return base::fail(*fault_);
  if (++members_ <= kMaxMembers) return {};
  return refuse(fmt::format("it and the archives in it have more than {} members", kMaxMembers));
}

base::Result<> UnpackBudget::add_bytes(std::uint64_t count) {
  if (fault_) return base::fail(*fault_);
  bytes_ += std::min(count, kMaxBytes + 1);
  if (bytes_ > kMaxBytes) return refuse(fmt::format("it unpacks to more than {} GiB", kMaxBytes >> 30));
  if (bytes_ > kRatioFloor && bytes_ / kMaxRatio > file_size_) {
    return refuse(fmt::format("it unpacks to more than {} times its size", kMaxRatio));
  }
  return {};
}

base::Result<> UnpackBudget::add_replayed(std::uint64_t count) {
  if (fault_) return base::fail(*fault_);
  replayed_ += std::min(count, kMaxReplayedBytes + 1);
  if (replayed_ <= kMaxReplayedBytes) return {};
  return refuse(fmt::format("reading its packed members at random takes more than {} GiB of unpacking",
                            kMaxReplayedBytes >> 30));
}

namespace {

constexpr std::size_t kFirstRead = 4UL << 10;

// A stream with what it reads from.
class OwningStream final : public formats::Stream {
 public:
  OwningStream(std::unique_ptr<formats::Stream> below, std::unique_ptr<formats::Stream> top)
      : below_(std::move(below)), top_(std::move(top)) {}
  base::Result<std::size_t> read(base::MutableByteView buffer) override { return top_->read(buffer); }

 private:
  std::unique_ptr<formats::Stream> below_;
  std::unique_ptr<formats::Stream> top_;
};

class WindowStream final : public formats::Stream {
 public:
  WindowStream(formats::Stream& whole, std::uint64_t offset, std::uint64_t size)
      : whole_(whole), skip_(offset), left_(size) {}
  base::Result<std::size_t> read(base::MutableByteView buffer) override {
    HF_CHECK(whole_.skip(std::exchange(skip_, 0)));
    HF_TRY(
        const std::size_t got,
        whole_.read(buffer.first(static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), left_)))));
    left_ -= got;
    return got;
  }

 private:
  formats::BufferedReader whole_;
  std::uint64_t skip_;
  std::uint64_t left_;
};

}  // namespace

Reopen reopen_through(Reopen below, OpenOver open) {
  return
      [below = std::move(below), open = std::move(open)]() -> base::Result<std::unique_ptr<formats::Stream>> {
        HF_TRY(auto whole, below());
        HF_TRY(auto top, open(*whole));
        return std::make_unique<OwningStream>(std::move(whole), std::move(top));
      };
}

Reopen reopen_within(Reopen below, std::uint64_t offset, std::uint64_t size, UnpackBudget& budget) {
  const auto window = [offset, size,
                       &budget](formats::Stream& whole) -> base::Result<std::unique_ptr<formats::Stream>> {
    HF_CHECK(budget.add_replayed(offset));
    return std::make_unique<WindowStream>(whole, offset, size);
  };
  return reopen_through(std::move(below), window);
}

base::Result<std::size_t> MeteredStream::read(base::MutableByteView buffer) {
  if (fault_) return base::fail(*fault_);
  auto got = stream_->read(buffer);
  if (got) {
    if (auto counted = budget_->add_bytes(*got); !counted) fault_ = counted.error();
  } else {
    fault_ = got.error();
  }
  if (fault_) return base::fail(*fault_);
  return got;
}

bool MeteredStream::drain() {
  std::array<std::uint8_t, 16UL << 10> buffer{};
  for (;;) {
    const auto got = read(buffer);
    if (!got) return false;
    if (*got == 0) return true;
  }
}

std::unique_ptr<UnpackedSource> UnpackedSource::read(base::ByteView head, formats::Stream& stream,
                                                     Reopen reopen, UnpackBudget& budget) {
  std::unique_ptr<UnpackedSource> source(new UnpackedSource(std::move(reopen), budget));
  source->fill(head, stream);
  return source;
}

UnpackedSource::~UnpackedSource() { budget_->held().change(held_, 0); }

void UnpackedSource::fill(base::ByteView head, formats::Stream& stream) {
  for (bool more = true; more;) {
    const base::ByteView first = head.first(std::min(head.size(), kBlock));
    Block block{.index = size_ / kBlock, .bytes = base::Bytes(first.begin(), first.end())};
    head = head.subspan(first.size());
    while (more && block.bytes.size() < kBlock) {
      const std::size_t have = block.bytes.size();
      block.bytes.resize(std::clamp(2 * have, kFirstRead, kBlock));  // most members are small
      const auto got = stream.read(base::MutableByteView(block.bytes).subspan(have));
      if (!got) fault_ = got.error();
      block.bytes.resize(have + got.value_or(0));
      more = got.value_or(0) > 0;
    }
    size_ += block.bytes.size();
    if (!block.bytes.empty()) keep(std::move(block));
  }
}

// Puts the block first, and drops the last ones where not all can be held.
void UnpackedSource::keep(Block block) const {
  auto& held = budget_->held();
  if (held.left() < kBlock) complete_ = false;
  const auto crowded = [&] {
    return blocks_.size() >= kKeptBlocks || (blocks_.size() >= kFewestBlocks && held.left() < kBlock);
  };
  while (!complete_ && crowded()) {
    where_.erase(blocks_.back().index);
    blocks_.pop_back();
    held.change(held_, held_ - kBlock);
    held_ -= kBlock;
  }
  blocks_.push_front(std::move(block));
  where_[blocks_.front().index] = blocks_.begin();
  held.change(held_, held_ + kBlock);
  held_ += kBlock;
}

base::Result<> UnpackedSource::replay_to(std::uint64_t offset) const {
  if (!replay_ || replay_at_ > offset) {
    replay_.reset();  // gives its memory back before another takes it
    HF_TRY(replay_, reopen_());
    replay_at_ = 0;
  }
  base::Bytes skipped(replay_at_ < offset ? kBlock : 0);
  while (replay_at_ < offset) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(kBlock, offset - replay_at_));
    HF_TRY(const std::size_t got, replay_->read(base::MutableByteView(skipped).first(wanted)));
    if (got == 0) return base::fail(ErrorCode::kDataCorrupt, "the packed data ends sooner when read again");
    HF_CHECK(budget_->add_replayed(got));
    replay_at_ += got;
  }
  return {};
}

base::Result<const UnpackedSource::Block*> UnpackedSource::block(std::uint64_t index) const {
  if (const auto found = where_.find(index); found != where_.end()) {
    blocks_.splice(blocks_.begin(), blocks_, found->second);
    return &blocks_.front();
  }
  HF_CHECK(replay_to(index * kBlock));
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(kBlock, size_ - index * kBlock));
  Block made{.index = index, .bytes = base::Bytes(size)};
  for (std::size_t have = 0; have < size;) {
    HF_TRY(const std::size_t got, replay_->read(base::MutableByteView(made.bytes).subspan(have)));
    if (got == 0) return base::fail(ErrorCode::kDataCorrupt, "the packed data ends sooner when read again");
    HF_CHECK(budget_->add_replayed(got));
    have += got;
    replay_at_ += got;
  }
  keep(std::move(made));
  return &blocks_.front();
}

base::Result<std::size_t> UnpackedSource::read_at(std::uint64_t offset, base::MutableByteView buffer) const {
  std::size_t done = 0;
  while (done < buffer.size() && offset + done < size_) {
    HF_TRY(const Block* const found, block((offset + done) / kBlock));
    const auto within = static_cast<std::size_t>((offset + done) % kBlock);
    const std::size_t count = std::min(found->bytes.size() - within, buffer.size() - done);
    std::copy_n(found->bytes.begin() + static_cast<std::ptrdiff_t>(within), count,
                buffer.begin() + static_cast<std::ptrdiff_t>(done));
    done += count;
  }
  return done;
}

}  // namespace holdfast::inspect
