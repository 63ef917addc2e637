#include "patterns/secrets.h"

#include <algorithm>

#include "patterns/secret_match.h"
#include "patterns/secret_patterns.h"

namespace holdfast::patterns {
namespace {

// Input is taken in steps of this many bytes, so that the buffer stays small.
constexpr std::size_t kStep = 64UL << 10;

const KeywordSet& keywords() {
  static const KeywordSet set = [] {
    std::vector<std::string_view> words;
    for (const auto& pattern : secret_patterns()) words.push_back(pattern.keyword);
    return KeywordSet(words);
  }();
  return set;
}

}  // namespace

SecretScanner::SecretScanner() { buffer_.reserve(kBefore + kAfter + kStep); }

void SecretScanner::feed(base::ByteView piece) {
  std::string_view text = base::as_text(piece);
  while (!text.empty()) {
    feed_step(text.substr(0, kStep));
    text.remove_prefix(std::min(text.size(), kStep));
  }
}

void SecretScanner::feed_step(std::string_view piece) {
  const std::uint64_t begin = buffer_begin_ + buffer_.size();
  buffer_.append(piece);
  keywords().scan(state_, piece, [&](std::uint32_t pattern, std::size_t end) {
    hits_.push_back({.pattern = pattern, .begin = begin + end - secret_patterns()[pattern].keyword.size()});
  });
  const std::uint64_t seen = buffer_begin_ + buffer_.size();
  judge_until(seen > kAfter ? seen - kAfter : 0);
  forget();
}

void SecretScanner::finish() { judge_until(buffer_begin_ + buffer_.size()); }

// Judges the hits that begin before `end`: all that a match could need of the stream is in the buffer.
void SecretScanner::judge_until(std::uint64_t end) {
  std::size_t judged = 0;
  while (judged < hits_.size() && hits_[judged].begin < end) judge(judged++);
  hits_.erase(hits_.begin(), hits_.begin() + static_cast<std::ptrdiff_t>(judged));
}

void SecretScanner::judge(std::size_t index) {
  const Hit hit = hits_[index];
  const SecretPattern& pattern = secret_patterns()[hit.pattern];
  const std::uint64_t from = hit.begin - std::min<std::uint64_t>(hit.begin, kBefore);
  const std::string_view window =
      std::string_view(buffer_).substr(static_cast<std::size_t>(from - buffer_begin_), kBefore + kAfter);
  const auto place =
      match_secret(pattern, window.substr(0, static_cast<std::size_t>(hit.begin - from) + kAfter),
                   static_cast<std::size_t>(hit.begin - from));
  if (!place) return;
  const std::uint64_t begin = from + place->begin;
  if (begin < matched_end_) return;
  if (pattern.kind == SecretKind::kPassword && holds_token(index, begin, from + place->end)) return;
  matched_end_ = from + place->end;
  if (matches_.size() >= kMaxMatches) {
    ++dropped_;
    return;
  }
  const std::string_view secret = window.substr(place->begin, place->end - place->begin);
  matches_.push_back({.pattern = pattern.id,
                      .title = pattern.title,
                      .kind = pattern.kind,
                      .offset = begin,
                      .line = line_of(begin),
                      .length = secret.size(),
                      .masked = place->masked,
                      .validity = place->validity,
                      .entropy = entropy_of(secret)});
}

// Whether what is assigned is a token with a form of its own, which then tells more.
bool SecretScanner::holds_token(std::size_t index, std::uint64_t begin, std::uint64_t end) const {
  for (std::size_t i = index + 1; i < hits_.size() && hits_[i].begin < end; ++i) {
    const SecretPattern& pattern = secret_patterns()[hits_[i].pattern];
    if (pattern.kind == SecretKind::kPassword) continue;
    const std::uint64_t from = hits_[i].begin - std::min<std::uint64_t>(hits_[i].begin, kBefore);
    const std::string_view window = std::string_view(buffer_).substr(
        static_cast<std::size_t>(from - buffer_begin_),
        static_cast<std::size_t>(end + 1 - from));  // with the closing quotation mark
    const auto place = match_secret(pattern, window, static_cast<std::size_t>(hits_[i].begin - from));
    if (place && from + place->begin >= begin) return true;
  }
  return false;
}

// Drops what no hit needs any more.
void SecretScanner::forget() {
  const std::uint64_t end = buffer_begin_ + buffer_.size();
  // Hits come by the ends of their keywords, and one that is still being read began before the end.
  constexpr std::uint64_t kMaxKeyword = 64;
  const std::uint64_t first = hits_.empty() ? end : std::min(end, hits_.front().begin);
  const std::uint64_t needed = first - std::min(first, kMaxKeyword);
  const std::uint64_t keep = needed - std::min<std::uint64_t>(needed, kBefore);
  if (keep <= buffer_begin_) return;
  if (line_offset_ < keep) line_of(keep);
  buffer_.erase(0, static_cast<std::size_t>(keep - buffer_begin_));
  buffer_begin_ = keep;
}

std::uint64_t SecretScanner::line_of(std::uint64_t offset) {
  const auto from =
      buffer_.begin() + static_cast<std::ptrdiff_t>(std::min(line_offset_, offset) - buffer_begin_);
  const auto to =
      buffer_.begin() + static_cast<std::ptrdiff_t>(std::max(line_offset_, offset) - buffer_begin_);
  const auto lines = static_cast<std::uint64_t>(std::count(from, to, '\n'));
  line_ = offset >= line_offset_ ? line_ + lines : line_ - lines;
  line_offset_ = offset;
  return line_;
}

std::vector<SecretMatch> find_secrets(std::string_view text) {
  SecretScanner scanner;
  scanner.feed(base::as_bytes(text));
  scanner.finish();
  return scanner.matches();
}

}  // namespace holdfast::patterns
