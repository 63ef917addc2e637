#include "inspect/jinja.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "formats/anomaly.h"

namespace holdfast::inspect {
namespace {

using formats::quote;

// Attributes by which Python's objects give away their frames, code and globals: sandbox.py's UNSAFE_* sets.
constexpr std::array<std::string_view, 19> kUnsafeAttributes{
    "mro",     "func_globals", "func_code",  "func_closure", "im_func",   "im_class", "im_self",
    "gi_code", "gi_frame",     "cr_code",    "cr_frame",     "ag_code",   "ag_frame", "tb_frame",
    "f_code",  "f_globals",    "f_builtins", "f_locals",     "subclasses"};
// Names that a template finds without being given them and whose objects lead to Python's globals.
constexpr std::array<std::string_view, 7> kGateways{
    "lipsum", "cycler", "joiner", "self", "_self", "get_flashed_messages", "url_for"};
constexpr std::array<std::string_view, 4> kLoadingTags{"import", "from", "include", "extends"};
constexpr std::array<std::string_view, 7> kPythonNames{"eval", "exec",       "popen",    "subprocess",
                                                       "open", "__import__", "importlib"};

bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         (static_cast<unsigned char>(c) & 0x80U) != 0;
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'; }

template <typename Names>
bool is_one_of(std::string_view name, const Names& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// "__class__", "__import__" and the like anywhere in the text.
bool holds_dunder(std::string_view text) {
  for (std::size_t at = text.find("__"); at != std::string_view::npos; at = text.find("__", at + 1)) {
    if (at + 2 < text.size() && is_name_start(text[at + 2]) && text[at + 2] != '_') return true;
  }
  return false;
}

enum class Kind { kName, kText, kNumber, kSign };

struct Token {
  Kind kind;
  std::size_t offset;
  std::string text;  // of a string: decoded
};

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Reads the statements and expressions of a template, one tag after the other.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  std::vector<JinjaConstruct> run() {
    while (at_ < text_.size() && found_.size() < kMaxJinjaConstructs) {
      const std::size_t open = text_.find('{', at_);
      if (open == std::string_view::npos || open + 1 >= text_.size()) break;
      at_ = open + 2;
      switch (text_[open + 1]) {
        case '{':
          tag("}}");
          break;
        case '%':
          tag("%}");
          break;
        case '#':
          skip_past("#}");
          break;
        default:
          at_ = open + 1;
      }
    }
    return std::move(found_);
  }

 private:
  void skip_past(std::string_view end) {
    const std::size_t found = text_.find(end, at_);
    at_ = found == std::string_view::npos ? text_.size() : found + end.size();
  }

  // Until `end` outside of strings and brackets, as Jinja's lexer does.
  void tag(std::string_view end) {
    tokens_.clear();
    int depth = 0;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (depth == 0 && is_end(end)) break;
      if (is_space(c)) {
        ++at_;
      } else if (c == '"' || c == '\'') {
        string(c);
      } else if (is_name_start(c)) {
        name();
      } else if (is_digit(c)) {
        number();
      } else {
        if (c == '(' || c == '[' || c == '{') ++depth;
        if ((c == ')' || c == ']' || c == '}') && depth > 0) --depth;
        tokens_.push_back({Kind::kSign, at_++, std::string(1, c)});
      }
    }
    at_ = std::min(text_.size(), at_ + end.size());
    judge();
    if (end == "%}" && tokens_.size() == 1 && tokens_[0].text == "raw") skip_raw();
  }

  [[nodiscard]] bool is_end(std::string_view end) const { return text_.substr(at_, end.size()) == end; }

  void skip_raw() {
    for (std::size_t open = text_.find("{%", at_); open != std::string_view::npos;
         open = text_.find("{%", open + 2)) {
      std::size_t word = open + 2;
      while (word < text_.size() && (is_space(text_[word]) || text_[word] == '-' || text_[word] == '+'))
        ++word;
      if (text_.substr(word, 6) != "endraw") continue;
      at_ = word;
      skip_past("%}");
      return;
    }
    at_ = text_.size();
  }

  void name() {
    const std::size_t start = at_;
    while (at_ < text_.size() && (is_name_start(text_[at_]) || is_digit(text_[at_]))) ++at_;
    tokens_.push_back({Kind::kName, start, std::string(text_.substr(start, at_ - start))});
  }

  void number() {
    const std::size_t start = at_;
    while (at_ < text_.size() && (is_name_start(text_[at_]) || is_digit(text_[at_]))) ++at_;
    tokens_.push_back({Kind::kNumber, start, std::string(text_.substr(start, at_ - start))});
  }

  void string(char mark) {
    Token token{Kind::kText, at_++, {}};
    while (at_ < text_.size() && text_[at_] != mark) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
        escape(token.text);
      } else {
        token.text += text_[at_++];
      }
    }
    at_ = std::min(text_.size(), at_ + 1);
    tokens_.push_back(std::move(token));
  }

  // One character: \x5f, \u005f, \137 and \N{LOW LINE} hide an underscore; other escapes hide nothing we look
  // for.
  void escape(std::string& to) {
    const char kind = text_[at_ + 1];
    at_ += 2;
    if (kind == 'N') {
      const std::size_t close = text_.find('}', at_);
      if (close == std::string_view::npos) return;
      if (text_.substr(at_, close - at_) == "{LOW LINE") to += '_';
      at_ = close + 1;
      return;
    }
    const bool octal = kind >= '0' && kind <= '7';
    if (octal) --at_;
    const int base = octal ? 8 : 16;
    const std::size_t most = octal ? 3 : kind == 'x' ? 2 : kind == 'u' ? 4 : kind == 'U' ? 8 : 0;
    if (most == 0) {
      to += kind;
      return;
    }
    std::uint32_t code = 0;
    for (std::size_t i = 0; i < most && at_ < text_.size(); ++i, ++at_) {
      const int value = hex_value(text_[at_]);
      if (value < 0 || value >= base) break;
      code = code * static_cast<std::uint32_t>(base) + static_cast<std::uint32_t>(value);
    }
    to += code < 0x80 ? static_cast<char>(code) : '?';
  }

  void judge() {
    for (std::size_t i = 0; i < tokens_.size() && found_.size() < kMaxJinjaConstructs; ++i) {
      const Token& token = tokens_[i];
      if (token.kind == Kind::kName) judge_name(i);
      if (token.kind == Kind::kText) judge_text(i);
    }
  }

  [[nodiscard]] bool is_sign(std::size_t i, std::string_view sign) const {
    return i < tokens_.size() && tokens_[i].kind == Kind::kSign && tokens_[i].text == sign;
  }

  void judge_name(std::size_t i) {
    const Token& token = tokens_[i];
    const std::string& name = token.text;
    const bool attribute = i > 0 && is_sign(i - 1, ".");
    const bool filter = i > 0 && is_sign(i - 1, "|");
    if (holds_dunder(name)) {
      return add(Severity::kCritical, token,
                 fmt::format("it reaches for {}, from which Python code can be run", quote(name)));
    }
    if (filter && name == "attr") {
      return add(Severity::kHigh, token,
                 "it reads an attribute by a name that is put together while it runs (attr)");
    }
    if (attribute && (name[0] == '_' || is_one_of(name, kUnsafeAttributes))) {
      return add(Severity::kHigh, token, fmt::format("it reads the private attribute {}", quote(name)));
    }
    if ((attribute || is_sign(i + 1, "(")) && is_one_of(name, kPythonNames)) {
      return add(Severity::kHigh, token, fmt::format("it calls {}", quote(name)));
    }
    if (attribute || filter) return;
    if (is_one_of(name, kGateways) && !is_sign(i + 1, "=")) {
      return add(Severity::kMedium, token,
                 fmt::format("it uses {}, which leads to Python's globals and which no chat template needs",
                             quote(name)));
    }
    const bool first = i == 0 || (i == 1 && (is_sign(0, "-") || is_sign(0, "+")));
    if (first && text_[token.offset - 1] != '{' && is_one_of(name, kLoadingTags) &&
        opened_as_statement(token)) {
      add(Severity::kMedium, token, fmt::format("it loads another template ({})", name));
    }
  }

  [[nodiscard]] bool opened_as_statement(const Token& token) const {
    return text_.rfind("{%", token.offset) > text_.rfind("{{", token.offset) ||
           text_.rfind("{{", token.offset) == std::string_view::npos;
  }

  // Text that names a private attribute, alone or put together from parts: "__cl" ~ "ass__", "_" * 2.
  void judge_text(std::size_t i) {
    const Token& token = tokens_[i];
    if (holds_dunder(token.text)) {
      return add(Severity::kHigh, token,
                 fmt::format("it holds the name {}, for reaching Python's internals", quote(token.text)));
    }
    const bool begins = i < 2 || tokens_[i - 2].kind != Kind::kText || !joins(i - 1);
    if (begins && joins(i + 1)) {
      std::string joined = token.text;
      for (std::size_t k = i + 1; joins(k) && k + 1 < tokens_.size() && tokens_[k + 1].kind == Kind::kText;
           k += 2) {
        joined += tokens_[k + 1].text;
      }
      if (holds_dunder(joined)) {
        return add(Severity::kHigh, token,
                   fmt::format("it puts the name {} together from parts", quote(joined)));
      }
    }
    if (!token.text.empty() && token.text.find_first_not_of('_') == std::string::npos &&
        is_sign(i + 1, "*")) {
      return add(Severity::kHigh, token,
                 "it makes underscores by repeating text, as templates that hide a name do");
    }
    if (changes_key(i)) {
      return add(Severity::kHigh, token,
                 fmt::format("it makes the name of a member out of other text ({})", quote(token.text)));
    }
    if (token.text == "attr" && i >= 2 && is_sign(i - 1, "(") && tokens_[i - 2].text == "map") {
      add(Severity::kHigh, token,
          "it reads an attribute by a name that is put together while it runs (map attr)");
    }
  }

  // x["_X_class"|replace("X", "_")], x["ssalc"[::-1]]: no chat template needs to change a text that it holds.
  [[nodiscard]] bool changes_key(std::size_t i) const {
    if (i < 2 || !is_sign(i - 1, "[")) return false;
    constexpr std::array<std::string_view, 8> kWords{"in", "if", "else", "elif", "and", "or", "not", "is"};
    const bool named = tokens_[i - 2].kind == Kind::kName && !is_one_of(tokens_[i - 2].text, kWords);
    const bool subscript = named || is_sign(i - 2, ")") || is_sign(i - 2, "]");
    constexpr std::array<std::string_view, 5> kChanges{"|", ".", "[", "%", "*"};
    return subscript && std::any_of(kChanges.begin(), kChanges.end(),
                                    [&](std::string_view sign) { return is_sign(i + 1, sign); });
  }

  [[nodiscard]] bool joins(std::size_t i) const { return is_sign(i, "~") || is_sign(i, "+"); }

  void add(Severity severity, const Token& token, std::string what) {
    // Counted onwards from the last one, so that a template is read once.
    line_ +=
        static_cast<std::size_t>(std::count(text_.begin() + static_cast<std::ptrdiff_t>(counted_),
                                            text_.begin() + static_cast<std::ptrdiff_t>(token.offset), '\n'));
    counted_ = token.offset;
    found_.push_back({.severity = severity, .offset = token.offset, .line = line_, .what = std::move(what)});
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<Token> tokens_;
  std::vector<JinjaConstruct> found_;
  std::size_t counted_ = 0;
  std::size_t line_ = 1;
};

}  // namespace

std::vector<JinjaConstruct> jinja_constructs(std::string_view text) { return Reader(text).run(); }

}  // namespace holdfast::inspect
