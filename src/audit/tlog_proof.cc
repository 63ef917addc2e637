#include "audit/tlog_proof.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "audit/merkle.h"
#include "base/encoding.h"

namespace holdfast::audit {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;

constexpr std::string_view kHeading = "c2sp.org/tlog-proof@v1";
constexpr std::string_view kExtra = "extra ";
constexpr std::string_view kIndex = "index ";

tl::unexpected<base::Error> malformed(std::string_view why) {
  return fail(ErrorCode::kDataCorrupt, fmt::format("the proof is malformed: {}", why));
}

Result<std::string_view> take_line(std::string_view& text) {
  const auto end = text.find('\n');
  if (end == std::string_view::npos) return malformed("it ends too early");
  const auto line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

Result<std::uint64_t> parse_index(std::string_view line) {
  if (!line.starts_with(kIndex)) return malformed("it has no index");
  const auto digits = line.substr(kIndex.size());
  std::uint64_t index = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
  const bool canonical = digits == "0" || !digits.starts_with('0');
  if (error != std::errc() || end != digits.data() + digits.size() || !canonical) {
    return malformed("its index is no number");
  }
  return index;
}

Result<base::Digest> parse_hash(std::string_view line) {
  const auto bytes = base::base64_decode(line);
  if (!bytes || bytes->size() != base::Digest::kSize) return malformed("a hash of it is no SHA-256 digest");
  return base::Digest::from_bytes(*bytes);
}

}  // namespace

std::string write_tlog_proof(const TlogProof& proof) {
  std::string text = fmt::format("{}\n", kHeading);
  if (!proof.extra.empty()) text += fmt::format("{}{}\n", kExtra, base::base64_encode(proof.extra));
  text += fmt::format("{}{}\n", kIndex, proof.index);
  for (const auto& hash : proof.path) text += base::base64_encode(hash.bytes()) + "\n";
  return text + "\n" + proof.checkpoint;
}

Result<TlogProof> parse_tlog_proof(std::string_view text) {
  if (text.size() > kMaxProofBytes) {
    return fail(ErrorCode::kLimitExceeded, fmt::format("a proof has at most {} bytes", kMaxProofBytes));
  }
  HF_TRY(auto line, take_line(text));
  if (line != kHeading) return malformed(fmt::format("it does not begin with {}", kHeading));
  TlogProof proof;
  HF_TRY(line, take_line(text));
  if (line.starts_with(kExtra)) {
    auto extra = base::base64_decode(line.substr(kExtra.size()));
    if (!extra || extra->empty()) return malformed("its extra data is not base64");
    proof.extra = *std::move(extra);
    HF_TRY(line, take_line(text));
  }
  HF_TRY(proof.index, parse_index(line));
  for (;;) {
    HF_TRY(line, take_line(text));
    if (line.empty()) break;
    if (proof.path.size() == kMaxProofHashes) return malformed("it has more hashes than any log needs");
    HF_TRY(proof.path.emplace_back(), parse_hash(line));
  }
  if (text.empty()) return malformed("it has no checkpoint");
  proof.checkpoint = text;
  return proof;
}

Result<ProvedRecord> verify_record_proof(const TlogProof& proof, const crypto::NoteVerifier& verifier) {
  auto checkpoint = open_checkpoint(proof.checkpoint, verifier);
  if (!checkpoint) return fail(std::move(checkpoint).error().within("the checkpoint of the proof"));
  const base::ByteView extra(proof.extra);
  if (extra.size() <= base::Digest::kSize) return malformed("it does not tell the record");
  HF_TRY(const auto sealed, base::Digest::from_bytes(extra.first(base::Digest::kSize)));
  HF_TRY(auto opened, read_plain_body(extra.subspan(base::Digest::kSize)));
  const auto leaf = leaf_hash(make_entry(opened.commitment, sealed));
  HF_CHECK(verify_inclusion(proof.index, checkpoint->size, leaf, proof.path, checkpoint->root));
  return ProvedRecord{.checkpoint = *std::move(checkpoint),
                      .index = proof.index,
                      .time = opened.time,
                      .record = std::move(opened.record)};
}

}  // namespace holdfast::audit
