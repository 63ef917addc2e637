#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "base/result.h"
#include "formats/decompressor.h"
#include "formats/seven_zip_header.h"

// One compression library behind one shape, for decompressor.cc: each in a file of its own.

namespace holdfast::formats {

class Codec {
 public:
  struct Step {
    std::size_t taken = 0;             // of the input
    std::size_t given = 0;             // of the output
    bool ended = false;                // a member's end
    std::optional<base::Error> fault;  // after what was given
  };

  virtual ~Codec() = default;
  // Expands some of `in` into `out`, which is not empty. `in` is empty at the input's end alone.
  // `allowed`: the most memory it may hold, in bytes.
  virtual Step step(base::ByteView in, base::MutableByteView out, std::uint64_t allowed) = 0;
  // Prepares for the next member.
  virtual base::Result<> restart() = 0;
  // Whether `next`, 16 bytes or what is left, begins another member.
  [[nodiscard]] virtual bool starts(base::ByteView next) const = 0;
  // How many of the bytes between members are padding, a multiple of which a reader passes over; 0: none.
  [[nodiscard]] virtual std::size_t padding() const { return 0; }
  // Bytes held now.
  [[nodiscard]] virtual std::uint64_t memory() const = 0;
};

base::Result<std::unique_ptr<Codec>> make_bzip2_codec();
base::Result<std::unique_ptr<Codec>> make_xz_codec();
base::Result<std::unique_ptr<Codec>> make_lzma_codec();
base::Result<std::unique_ptr<Codec>> make_zstd_codec();
base::Result<std::unique_ptr<Codec>> make_lz4_codec();

// LZMA or LZMA2 without a container, then filters, as a 7z folder names them.
base::Result<std::unique_ptr<Codec>> make_raw_lzma_codec(std::span<const SevenZipCoder> coders);
// A filter that may follow LZMA.
bool is_lzma_filter(std::uint64_t method);

// `input`, and the budget in `limits`, outlive it.
std::unique_ptr<Decompressor> decompress_by(std::unique_ptr<Codec> codec, Stream& input,
                                            const DecompressLimits& limits);

// The errors that all of them give.
base::Error no_memory_to_expand();
base::Error damaged_data();
base::Error too_much_memory(std::uint64_t needed, std::uint64_t allowed);

}  // namespace holdfast::formats
