#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "formats/decompressor.h"
#include "formats/source.h"

// What is packed in an artefact, made readable: bounds over all that one file unpacks to, and random access
// to what comes as a stream. One thread.

namespace holdfast::inspect {

// What unpacking one file, and all that is nested in it, may cost altogether. A bound that was passed stays
// passed.
class UnpackBudget {
 public:
  static constexpr std::uint64_t kMaxMembers = 1'000'000;
  static constexpr std::uint64_t kMaxBytes = 256ULL << 30;
  // Unpacked bytes of all levels to those of the file, once they pass kRatioFloor.
  static constexpr std::uint64_t kMaxRatio = 250;
  static constexpr std::uint64_t kRatioFloor = 256ULL << 20;
  // Read again where a stream is read at random.
  static constexpr std::uint64_t kMaxReplayedBytes = 64ULL << 30;
  // Held in memory of what must be read at random.
  static constexpr std::uint64_t kMaxHeldBytes = 96ULL << 20;

  explicit UnpackBudget(std::uint64_t file_size) : file_size_(file_size) {}

  // kLimitExceeded, and for good, past one of the bounds.
  base::Result<> add_member();
  base::Result<> add_bytes(std::uint64_t count);
  base::Result<> add_replayed(std::uint64_t count);
  [[nodiscard]] bool spent() const { return fault_.has_value(); }

  formats::MemoryBudget& decoders() { return decoders_; }  // of all decompressors that are open
  formats::MemoryBudget& held() { return held_; }

 private:
  base::Result<> refuse(std::string message);

  std::uint64_t file_size_;
  std::uint64_t members_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t replayed_ = 0;
  std::optional<base::Error> fault_;
  formats::MemoryBudget decoders_;
  formats::MemoryBudget held_{kMaxHeldBytes};
};

// A stream whose bytes count towards the budget, and that remembers how it ended.
class MeteredStream final : public formats::Stream {
 public:
  // Both outlive it.
  MeteredStream(formats::Stream& stream, UnpackBudget& budget) : stream_(&stream), budget_(&budget) {}
  base::Result<std::size_t> read(base::MutableByteView buffer) override;
  // Reads on to the end, so that trailers and checksums are seen; true where it was reached.
  bool drain();
  [[nodiscard]] const std::optional<base::Error>& fault() const { return fault_; }

 private:
  formats::Stream* stream_;
  UnpackBudget* budget_;
  std::optional<base::Error> fault_;
};

// Opens the same bytes anew, from their start. What it was made from outlives it and what it opens.
using Reopen = std::function<base::Result<std::unique_ptr<formats::Stream>>()>;

// Opens a stream that reads from another, which outlives it.
using OpenOver = std::function<base::Result<std::unique_ptr<formats::Stream>>(formats::Stream& below)>;
Reopen reopen_through(Reopen below, OpenOver open);
// The range [offset, offset + size) of the bytes, or what there is of it. What is passed over to get there
// counts as replayed.
Reopen reopen_within(Reopen below, std::uint64_t offset, std::uint64_t size, UnpackBudget& budget);

// Random access to a stream: wholly in memory where the budget holds it, else by reading the stream anew
// whenever something before is asked for, with the blocks of kBlock bytes last used kept.
class UnpackedSource final : public formats::Source {
 public:
  static constexpr std::size_t kBlock = 256UL << 10;
  static constexpr std::size_t kKeptBlocks = 64;
  static constexpr std::size_t kFewestBlocks = 4;  // even where others hold all that the budget gives

  // Reads `stream`, whose first bytes were `head`, to its end, or to where it breaks: fault() says so, and
  // what came before is the source.
  static std::unique_ptr<UnpackedSource> read(base::ByteView head, formats::Stream& stream, Reopen reopen,
                                              UnpackBudget& budget);
  ~UnpackedSource() override;
  UnpackedSource(const UnpackedSource&) = delete;
  UnpackedSource& operator=(const UnpackedSource&) = delete;

  [[nodiscard]] std::uint64_t size() const override { return size_; }
  base::Result<std::size_t> read_at(std::uint64_t offset, base::MutableByteView buffer) const override;
  [[nodiscard]] const std::optional<base::Error>& fault() const { return fault_; }

 private:
  struct Block {
    std::uint64_t index;
    base::Bytes bytes;
  };

  UnpackedSource(Reopen reopen, UnpackBudget& budget) : reopen_(std::move(reopen)), budget_(&budget) {}
  void fill(base::ByteView head, formats::Stream& stream);
  void keep(Block block) const;
  base::Result<const Block*> block(std::uint64_t index) const;
  base::Result<> replay_to(std::uint64_t offset) const;

  Reopen reopen_;
  UnpackBudget* budget_;
  std::uint64_t size_ = 0;
  std::optional<base::Error> fault_;
  // The most recently used first; all that there are while complete_.
  mutable std::list<Block> blocks_;
  mutable std::map<std::uint64_t, std::list<Block>::iterator> where_;
  mutable std::uint64_t held_ = 0;
  mutable bool complete_ = true;  // nothing was dropped for want of room
  mutable std::unique_ptr<formats::Stream> replay_;
  mutable std::uint64_t replay_at_ = 0;
};

}  // namespace holdfast::inspect
