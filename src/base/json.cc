#include "base/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace holdfast::base {
namespace {

using nlohmann::json;

// Builds the value while it checks what nlohmann's own builder lets pass. The parser itself keeps an explicit
// stack, so that depth costs no recursion until we allow it.
class StrictBuilder final : public json::json_sax_t {
 public:
  explicit StrictBuilder(const JsonLimits& limits) : limits_(limits) {}

  bool null() override { return put(json(nullptr)); }
  bool boolean(bool value) override { return put(json(value)); }
  bool number_integer(number_integer_t value) override { return put(json(value)); }
  bool number_unsigned(number_unsigned_t value) override { return put(json(value)); }
  bool number_float(number_float_t value, const string_t& text) override {
    if (!std::isfinite(value)) return refuse(fmt::format("the number {} is too large", text.substr(0, 40)));
    return put(json(value));
  }
  bool string(string_t& value) override { return put(json(std::move(value))); }
  bool binary(binary_t&) override { return refuse("binary values are not JSON"); }
  bool start_object(std::size_t) override { return open(json::object()); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(json::array()); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    if (open_.back()->contains(name))
      return refuse(fmt::format("the member \"{}\" stands twice", name.substr(0, 80)));
    key_ = std::move(name);
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    return refuse(fmt::format("it is no valid JSON at byte {}", position));
  }

  [[nodiscard]] const std::string& why() const { return why_; }
  json take() { return std::move(root_); }

 private:
  bool refuse(std::string why) {
    why_ = std::move(why);
    return false;
  }

  json* place(json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    json& parent = *open_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    return &(parent[key_] = std::move(value));
  }

  bool put(json value) {
    place(std::move(value));
    return true;
  }

  bool open(json container) {
    if (open_.size() >= static_cast<std::size_t>(limits_.max_depth)) {
      return refuse(fmt::format("it is nested deeper than {}", limits_.max_depth));
    }
    // Pointers stay valid: a container that is open is the last of its parent, which grows only after it
    // closes.
    open_.push_back(place(std::move(container)));
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  JsonLimits limits_;
  json root_;
  std::vector<json*> open_;
  std::string key_;
  std::string why_;
};

// Appends the UTF-16 code units of `text`, the order in which RFC 8785 (section 3.2.3) sorts member names.
std::u16string utf16(std::string_view text) {
  std::u16string units;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    char32_t point = length == 1 ? lead : lead & (0xFFU >> (length + 1));
    for (std::size_t k = 1; k < length && i + k < text.size(); ++k) {
      point = point << 6 | (static_cast<unsigned char>(text[i + k]) & 0x3FU);
    }
    i += length;
    if (point < 0x10000) {
      units.push_back(static_cast<char16_t>(point));
    } else {
      units.push_back(static_cast<char16_t>(0xD800 + ((point - 0x10000) >> 10)));
      units.push_back(static_cast<char16_t>(0xDC00 + ((point - 0x10000) & 0x3FF)));
    }
  }
  return units;
}

Result<> write_canonical(const json& value, std::string& out);

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// Text without anything to escape, which most is, as it stands.
void write_text(const std::string& text, std::string& out) {
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) >= ' ' && static_cast<unsigned char>(c) < 0x7F && c != '"' &&
           c != '\\';
  });
  if (!plain) {
    out += json(text).dump();
    return;
  }
  out.push_back('"');
  out += text;
  out.push_back('"');
}

Result<> write_member(const std::string& name, const json& member, std::string& out) {
  if (out.back() != '{') out.push_back(',');
  write_text(name, out);
  out.push_back(':');
  return write_canonical(member, out);
}

Result<> write_members(const json::object_t& object, std::string& out) {
  // The map's order, by bytes, is that of the code units where all names are ASCII.
  const bool in_order =
      std::all_of(object.begin(), object.end(), [](const auto& entry) { return is_ascii(entry.first); });
  if (in_order) {
    for (const auto& [name, member] : object) HF_CHECK(write_member(name, member, out));
    return {};
  }
  std::vector<std::pair<std::u16string, const json::object_t::value_type*>> sorted;
  sorted.reserve(object.size());
  for (const auto& entry : object) sorted.emplace_back(utf16(entry.first), &entry);
  std::sort(sorted.begin(), sorted.end());
  for (const auto& [order, entry] : sorted) HF_CHECK(write_member(entry->first, entry->second, out));
  return {};
}

Result<> write_canonical(const json& value, std::string& out) {
  switch (value.type()) {
    case json::value_t::object:
      out.push_back('{');
      HF_CHECK(write_members(value.get_ref<const json::object_t&>(), out));
      out.push_back('}');
      return {};
    case json::value_t::string:
      write_text(value.get_ref<const std::string&>(), out);
      return {};
    case json::value_t::array: {
      out.push_back('[');
      bool first = true;
      for (const auto& element : value) {
        if (!std::exchange(first, false)) out.push_back(',');
        HF_CHECK(write_canonical(element, out));
      }
      out.push_back(']');
      return {};
    }
    case json::value_t::number_float:
      return fail(ErrorCode::kUnsupported,
                  "canonical JSON here holds no floating-point number; write it as text");
    case json::value_t::binary:
    case json::value_t::discarded:
      return fail(ErrorCode::kInternal, "this value has no JSON form");
    default:
      out += value.dump();
      return {};
  }
}

}  // namespace

Result<json> parse_json(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.max_bytes) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("JSON text of {} bytes is over the limit of {}", text.size(), limits.max_bytes));
  }
  StrictBuilder builder(limits);
  if (!json::sax_parse(text.begin(), text.end(), &builder)) {
    return fail(ErrorCode::kInvalidArgument, "cannot read the JSON text: " + builder.why());
  }
  return builder.take();
}

Result<std::string> canonical_json(const json& value) {
  std::string out;
  try {
    HF_CHECK(write_canonical(value, out));
  } catch (const json::exception&) {  // dump() refuses text that is not UTF-8
    return fail(ErrorCode::kInvalidArgument, "a text in this value is not UTF-8");
  }
  return out;
}

}  // namespace holdfast::base
