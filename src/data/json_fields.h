#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/bytes.h"
#include "base/result.h"

namespace holdfast::data {

// Reads the members of one JSON object, each by its type, and then that there were no others. Every failure
// is kInvalidArgument and names the place and the member. The object outlives the reader.
class JsonFields {
 public:
  // `place` says in messages what the object is: "column 3 of the schema".
  static base::Result<JsonFields> of(const nlohmann::json& value, std::string place);

  [[nodiscard]] bool has(std::string_view name) const;
  base::Result<const nlohmann::json*> array(std::string_view name, std::size_t at_most);
  base::Result<const nlohmann::json*> object(std::string_view name);
  base::Result<std::string> text(std::string_view name);
  base::Result<bool> boolean(std::string_view name);
  base::Result<std::uint64_t> count(std::string_view name);
  base::Result<double> number_text(std::string_view name);  // as number_text() below writes it, and finite
  base::Result<base::Bytes> bytes(std::string_view name);   // base64
  // No member was left unread.
  base::Result<> end() const;

  [[nodiscard]] base::Error wrong(std::string_view name, std::string_view what) const;

 private:
  JsonFields(const nlohmann::json& object, std::string place) : object_(&object), place_(std::move(place)) {}
  base::Result<const nlohmann::json*> member(std::string_view name);

  const nlohmann::json* object_;
  std::string place_;
  std::vector<std::string> read_;
};

// The shortest text that reads back as the same double.
std::string number_text(double value);

// The canonical form of a value without floating-point numbers whose texts were checked to be UTF-8.
std::string canonical_text(const nlohmann::json& value);

bool is_utf8(std::string_view text);

}  // namespace holdfast::data
