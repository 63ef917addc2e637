#include "inspect/json_walk.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace holdfast::inspect {
namespace {

using nlohmann::json;

class Walk final : public json::json_sax_t {
 public:
  explicit Walk(JsonVisitor& visitor) : visitor_(visitor) {}

  bool null() override { return next(); }
  bool number_integer(number_integer_t) override { return next(); }
  bool number_unsigned(number_unsigned_t) override { return next(); }
  bool number_float(number_float_t, const string_t&) override { return next(); }
  bool binary(binary_t&) override { return next(); }
  bool boolean(bool value) override {
    visitor_.flag(path_, value);
    return next();
  }
  bool string(string_t& value) override {
    visitor_.text(path_, value);
    return next();
  }
  bool start_object(std::size_t) override { return enter(); }
  bool start_array(std::size_t) override { return enter(); }
  bool key(string_t& name) override {
    path_.back().key = name;
    return true;
  }
  bool end_object() override {
    path_.pop_back();
    visitor_.object_ends(path_);
    return next();
  }
  bool end_array() override {
    path_.pop_back();
    return next();
  }
  bool parse_error(std::size_t position, const std::string&, const json::exception&) override {
    position_ = position;
    return false;
  }

  [[nodiscard]] base::Error error() const {
    if (too_deep_)
      return {base::ErrorCode::kLimitExceeded,
              fmt::format("its JSON is nested more than {} deep", kMaxJsonDepth)};
    return {base::ErrorCode::kDataCorrupt, fmt::format("it is no JSON from byte {} on", position_)};
  }

 private:
  bool enter() {
    too_deep_ = path_.size() >= kMaxJsonDepth;
    if (!too_deep_) path_.emplace_back();
    return !too_deep_;
  }
  // In an array the next value has the next index.
  bool next() {
    if (!path_.empty()) ++path_.back().index;
    return true;
  }

  JsonVisitor& visitor_;
  JsonPath path_;
  std::size_t position_ = 0;
  bool too_deep_ = false;
};

}  // namespace

base::Result<> walk_json(std::string_view text, JsonVisitor& visitor) {
  Walk walk(visitor);
  if (json::sax_parse(text.begin(), text.end(), &walk)) return {};
  return base::fail(walk.error());
}

}  // namespace holdfast::inspect
