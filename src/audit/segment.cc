#include "audit/segment.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "audit/record.h"
#include "base/encoding.h"
#include "base/file.h"
#include "base/json.h"

namespace holdfast::audit {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using nlohmann::json;

constexpr base::JsonLimits kLimits{.max_bytes = kMaxLineBytes, .max_depth = 2};

tl::unexpected<base::Error> malformed(const char* why) {
  return fail(ErrorCode::kDataCorrupt, fmt::format("a line is not as the log writes it: {}", why));
}

Result<std::string> text_at(const json& object, const char* member) {
  const auto found = object.find(member);
  if (found == object.end() || !found->is_string()) return malformed("a member is missing or no text");
  return found->get<std::string>();
}

Result<base::Digest> digest_at(const json& object, const char* member) {
  HF_TRY(const auto text, text_at(object, member));
  auto digest = base::Digest::from_hex(text);
  if (!digest) return malformed("a digest is no SHA-256");
  return digest;
}

Result<BodyLine> body_line_of(const json& object) {
  BodyLine line;
  const auto index = object.find("index");
  if (index == object.end() || !index->is_number_unsigned()) return malformed("it has no index");
  line.index = index->get<std::uint64_t>();
  HF_TRY(line.commitment, digest_at(object, "commitment"));
  if (object.contains("sealed")) {
    HF_TRY(line.sealed, digest_at(object, "sealed"));
    return line;
  }
  HF_TRY(auto workspace, text_at(object, "workspace"));
  HF_TRY(const auto encoded, text_at(object, "body"));
  auto body = base::base64_decode(encoded);
  if (!body || body->empty()) return malformed("its body is no base64");
  line.workspace = base::WorkspaceId(std::move(workspace));
  line.body = *std::move(body);
  line.sealed = sealed_digest(line.workspace, line.body);
  return line;
}

std::string format_body(const BodyLine& line) {
  if (line.destroyed()) {
    return fmt::format("{{\"commitment\":\"{}\",\"index\":{},\"sealed\":\"{}\"}}\n", line.commitment.hex(),
                       line.index, line.sealed.hex());
  }
  return fmt::format("{{\"body\":\"{}\",\"commitment\":\"{}\",\"index\":{},\"workspace\":\"{}\"}}\n",
                     base::base64_encode(line.body), line.commitment.hex(), line.index,
                     line.workspace.value());
}

std::string format_checkpoint(const CheckpointLine& line) {
  return fmt::format("{{\"checkpoint\":{}}}\n",
                     json(line.note).dump(-1, ' ', false, json::error_handler_t::replace));
}

}  // namespace

base::Bytes BodyLine::entry() const { return make_entry(commitment, sealed); }

std::string format_line(const SegmentLine& line) {
  if (const auto* body = std::get_if<BodyLine>(&line)) return format_body(*body);
  return format_checkpoint(std::get<CheckpointLine>(line));
}

Result<SegmentLine> parse_line(std::string_view line) {
  auto parsed = base::parse_json(line, kLimits);
  if (!parsed || !parsed->is_object()) return malformed("it is no JSON object");
  const json& object = *parsed;
  SegmentLine result;
  if (object.contains("checkpoint")) {
    HF_TRY(auto note, text_at(object, "checkpoint"));
    result = CheckpointLine{std::move(note)};
  } else {
    HF_TRY(auto body, body_line_of(object));
    result = std::move(body);
  }
  const auto written = format_line(result);
  if (std::string_view(written).substr(0, written.size() - 1) != line) return malformed("other spelling");
  return result;
}

Result<base::Bytes> read_segment(const std::filesystem::path& file) {
  HF_TRY(const base::UniqueFd fd, base::open_regular_file(file));
  std::error_code error;
  const auto size = std::filesystem::file_size(file, error);
  if (error) return base::fail_errno(fmt::format("cannot read {}", file.string()), error.value());
  if (size > kMaxSegmentBytes) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("{} is larger than the {} bytes allowed here", file.string(), kMaxSegmentBytes));
  }
  base::Bytes bytes(size);
  auto got = base::read_full(fd.get(), bytes);
  if (!got) return fail(std::move(got).error().within(file.string()));
  bytes.resize(*got);
  return bytes;
}

std::optional<std::string_view> SegmentReader::next() {
  const auto end = text_.find('\n', position_);
  if (end == std::string_view::npos) return std::nullopt;
  const auto line = text_.substr(position_, end - position_);
  position_ = end + 1;
  return line;
}

}  // namespace holdfast::audit
