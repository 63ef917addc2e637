#include "audit/checkpoint.h"

#include <fmt/format.h>

#include <charconv>

#include "base/encoding.h"

namespace holdfast::audit {
namespace {

using base::ErrorCode;
using base::fail;

base::Result<std::string_view> take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos)
    return fail(ErrorCode::kDataCorrupt, "the checkpoint has fewer than three lines");
  const auto line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

base::Result<std::uint64_t> parse_size(std::string_view text) {
  std::uint64_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  const bool canonical = text == "0" || !text.starts_with('0');
  if (error != std::errc() || end != text.data() + text.size() || !canonical) {
    return fail(ErrorCode::kDataCorrupt, "the checkpoint's size is no number");
  }
  return size;
}

}  // namespace

base::Result<std::string> sign_checkpoint(std::uint64_t size, const base::Digest& root,
                                          const crypto::NoteSigner& signer) {
  const auto text =
      fmt::format("{}\n{}\n{}\n", signer.verifier().name(), size, base::base64_encode(root.bytes()));
  return crypto::sign_note(text, {&signer, 1});
}

base::Result<Checkpoint> open_checkpoint(std::string_view note, const crypto::NoteVerifier& verifier) {
  HF_TRY(const auto verified, crypto::verify_note(note, {&verifier, 1}));
  std::string_view text = verified.text();
  HF_TRY(const auto origin, take_line(text));
  HF_TRY(const auto size_text, take_line(text));
  HF_TRY(const auto root_text, take_line(text));
  if (origin != verifier.name()) return fail(ErrorCode::kDataCorrupt, "the checkpoint is of another log");
  HF_TRY(const auto size, parse_size(size_text));
  const auto root = base::base64_decode(root_text);
  if (!root || root->size() != base::Digest::kSize) {
    return fail(ErrorCode::kDataCorrupt, "the checkpoint's root is no SHA-256 digest");
  }
  HF_TRY(const auto digest, base::Digest::from_bytes(*root));
  return Checkpoint{.origin = std::string(origin), .size = size, .root = digest};
}

}  // namespace holdfast::audit
