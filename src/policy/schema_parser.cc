#include <fmt/format.h>

#include <set>
#include <utility>

#include "policy/expression_parser.h"
#include "policy/schema_source.h"

namespace holdfast::policy {
namespace {

using base::Result;

// docs.cedarpolicy.com, "Grammar specification for Cedar schemas".
class SchemaParser {
 public:
  explicit SchemaParser(Lexer& lexer) : lexer_(lexer) {}

  Result<SchemaSource> parse() {
    while (lexer_.token().kind != Token::Kind::kEnd) {
      HF_CHECK(parse_annotations());
      if (!lexer_.take("namespace")) {
        HF_CHECK(parse_declaration(source_.namespaces[""]));
        continue;
      }
      const std::size_t offset = lexer_.token().offset;
      HF_TRY(const std::string name, parse_type_name("the name of a namespace"));
      if (source_.namespaces.contains(name)) {
        return lexer_.fail_at(offset, fmt::format("the namespace {} is declared twice", name));
      }
      SourceNamespace& space = source_.namespaces[name];
      HF_CHECK(lexer_.expect("{", "after the name of a namespace"));
      while (!lexer_.take("}")) {
        HF_CHECK(parse_annotations());
        HF_CHECK(parse_declaration(space));
      }
    }
    return std::move(source_);
  }

 private:
  // Annotations of a schema say nothing to us; they are checked and left.
  Result<> parse_annotations() {
    std::set<std::string_view> seen;
    while (lexer_.take("@")) {
      const Token name = lexer_.token();
      if (name.kind != Token::Kind::kIdentifier) return lexer_.unexpected("the name of an annotation");
      if (!seen.insert(name.text).second) {
        return lexer_.fail_at(name.offset, fmt::format("the annotation @{} stands twice", name.text));
      }
      lexer_.advance();
      if (!lexer_.take("(")) continue;
      HF_CHECK(parse_text("a text in quotes"));
      HF_CHECK(lexer_.expect(")", "after the text of an annotation"));
    }
    return {};
  }

  Result<> parse_declaration(SourceNamespace& space) {
    if (lexer_.take("entity")) return parse_entity(space);
    if (lexer_.take("action")) return parse_action(space);
    if (lexer_.take("type")) return parse_common_type(space);
    return lexer_.unexpected("`entity`, `action`, `type` or `namespace`");
  }

  Result<> parse_entity(SourceNamespace& space) {
    std::vector<std::string> names;
    do {
      HF_TRY(names.emplace_back(), parse_identifier(lexer_, "the name of an entity type"));
    } while (lexer_.take(","));
    SourceEntity entity;
    if (lexer_.take("enum")) {
      HF_CHECK(lexer_.expect("[", "before the ids of an enumerated type"));
      do {
        HF_TRY(entity.ids.emplace_back(), parse_text("an id in quotes"));
      } while (lexer_.take(","));
      HF_CHECK(lexer_.expect("]", "or `,` after an id"));
    } else {
      if (lexer_.take("in")) {
        HF_TRY(entity.parents, parse_type_names());
      }
      const bool equals = lexer_.take("=");
      if (equals || lexer_.at("{")) {
        HF_CHECK(lexer_.expect("{", "before the attributes of an entity type"));
        HF_TRY(entity.shape.attributes, parse_attributes());
      }
      if (lexer_.take("tags")) {
        HF_TRY(entity.tags, parse_type());
      }
    }
    HF_CHECK(lexer_.expect(";", "at the end of the declaration of an entity type"));
    for (std::string& name : names) {
      entity.name = std::move(name);
      space.entities.push_back(entity);
    }
    return {};
  }

  Result<> parse_action(SourceNamespace& space) {
    std::vector<std::string> names;
    do {
      HF_TRY(names.emplace_back(), parse_name("the name of an action"));
    } while (lexer_.take(","));
    SourceAction action;
    if (lexer_.take("in")) {
      const bool list = lexer_.take("[");
      do {
        HF_TRY(action.parents.emplace_back(), parse_action_reference());
      } while (list && lexer_.take(","));
      if (list) HF_CHECK(lexer_.expect("]", "or `,` after an action"));
    }
    if (lexer_.take("appliesTo")) HF_CHECK(parse_applies_to(action));
    if (lexer_.take("attributes")) {
      HF_CHECK(lexer_.expect("{", "after `attributes`"));
      HF_CHECK(lexer_.expect("}", "since actions have no attributes"));
    }
    HF_CHECK(lexer_.expect(";", "at the end of the declaration of an action"));
    for (std::string& name : names) {
      action.id = std::move(name);
      space.actions.push_back(action);
    }
    return {};
  }

  Result<> parse_applies_to(SourceAction& action) {
    const std::size_t offset = lexer_.token().offset;
    HF_CHECK(lexer_.expect("{", "after `appliesTo`"));
    std::set<std::string> seen;
    while (!lexer_.at("}")) {
      const Token key = lexer_.token();
      if (!lexer_.at("principal") && !lexer_.at("resource") && !lexer_.at("context")) {
        return lexer_.unexpected("`principal`, `resource` or `context`");
      }
      if (!seen.emplace(key.text).second) {
        return lexer_.fail_at(key.offset, fmt::format("`{}` stands twice in one `appliesTo`", key.text));
      }
      lexer_.advance();
      HF_CHECK(lexer_.expect(":", fmt::format("after `{}`", key.text)));
      if (key.text == "context") {
        HF_CHECK(parse_context(action.context));
      } else {
        auto& types = key.text == "principal" ? action.principals : action.resources;
        HF_TRY(types, parse_type_names());
        if (types.empty()) {
          return lexer_.fail_at(key.offset,
                                fmt::format("`{}` lists no type; leave `appliesTo` out for an action "
                                            "that only groups others",
                                            key.text));
        }
      }
      if (!lexer_.take(",")) break;
    }
    if (!seen.contains("principal") || !seen.contains("resource")) {
      return lexer_.fail_at(offset, "`appliesTo` needs both `principal` and `resource`");
    }
    return lexer_.expect("}", "or `,` in `appliesTo`");
  }

  Result<> parse_context(SourceType& context) {
    if (lexer_.take("{")) {
      HF_TRY(context.attributes, parse_attributes());
      return {};
    }
    context.kind = SourceType::Kind::kCommon;
    HF_TRY(context.name, parse_type_name("a record or the name of a common type"));
    return {};
  }

  Result<> parse_common_type(SourceNamespace& space) {
    const std::size_t offset = lexer_.token().offset;
    HF_TRY(std::string name, parse_identifier(lexer_, "the name of a common type"));
    if (is_reserved_type_name(name)) {
      return lexer_.fail_at(offset,
                            fmt::format("`{}` is reserved and can't be the name of a common type", name));
    }
    HF_CHECK(lexer_.expect("=", "after the name of a common type"));
    HF_TRY(SourceType type, parse_type());
    HF_CHECK(lexer_.expect(";", "at the end of the declaration of a common type"));
    space.common.emplace_back(std::move(name), std::move(type));
    return {};
  }

  Result<SourceType> parse_type() {
    if (depth_ == Schema::kMaxTypeDepth) {
      return lexer_.fail_at(lexer_.token().offset,
                            fmt::format("types are nested deeper than {}", Schema::kMaxTypeDepth));
    }
    ++depth_;
    auto type = parse_type_within();
    --depth_;
    return type;
  }

  Result<SourceType> parse_type_within() {
    SourceType type;
    if (lexer_.take("{")) {
      HF_TRY(type.attributes, parse_attributes());
      return type;
    }
    HF_TRY(type.name, parse_type_name("a type"));
    type.kind = SourceType::Kind::kName;
    if (type.name == "Set" && lexer_.take("<")) {
      type.kind = SourceType::Kind::kSet;
      HF_TRY(type.inner.emplace_back(), parse_type());
      HF_CHECK(lexer_.expect(">", "after the type of the elements of a Set"));
    }
    return type;
  }

  Result<std::vector<SourceAttribute>> parse_attributes() {
    std::vector<SourceAttribute> attributes;
    std::set<std::string> names;
    while (!lexer_.at("}")) {
      HF_CHECK(parse_annotations());
      SourceAttribute& attribute = attributes.emplace_back();
      const std::size_t offset = lexer_.token().offset;
      HF_TRY(attribute.name, parse_name("the name of an attribute"));
      if (!names.insert(attribute.name).second) {
        return lexer_.fail_at(offset, fmt::format("the attribute {} stands twice", quote(attribute.name)));
      }
      attribute.required = !lexer_.take("?");
      HF_CHECK(lexer_.expect(":", "after the name of an attribute"));
      HF_TRY(attribute.type, parse_type());
      if (!lexer_.take(",")) break;
    }
    HF_CHECK(lexer_.expect("}", "or `,` after an attribute"));
    return attributes;
  }

  // One type, or a list of them in brackets that may be empty.
  Result<std::vector<std::string>> parse_type_names() {
    std::vector<std::string> names;
    if (!lexer_.take("[")) {
      HF_TRY(names.emplace_back(), parse_type_name("an entity type"));
      return names;
    }
    if (lexer_.take("]")) return names;
    do {
      HF_TRY(names.emplace_back(), parse_type_name("an entity type"));
    } while (lexer_.take(","));
    HF_CHECK(lexer_.expect("]", "or `,` after an entity type"));
    return names;
  }

  // As a path of a policy, but `__cedar` may come first.
  Result<std::string> parse_type_name(std::string_view what) {
    std::string prefix;
    if (lexer_.take("__cedar")) {
      HF_CHECK(lexer_.expect("::", "after `__cedar`"));
      prefix = "__cedar::";
    }
    bool more = false;
    HF_TRY(const std::string path, parse_path(lexer_, what, more));
    if (more) return lexer_.unexpected("an identifier after `::`");
    return prefix + path;
  }

  Result<SourceAction::Reference> parse_action_reference() {
    SourceAction::Reference reference;
    if (lexer_.token().kind == Token::Kind::kString) {
      HF_TRY(reference.id, parse_text("an action"));
      return reference;
    }
    bool before_id = false;
    HF_TRY(std::string path, parse_path(lexer_, "an action", before_id));
    if (!before_id) {
      if (path.find(':') != std::string::npos)
        return lexer_.unexpected("`::` and the id of an action in quotes");
      reference.id = std::move(path);
      return reference;
    }
    reference.type = std::move(path);
    HF_TRY(reference.id, parse_text("the id of an action in quotes"));
    return reference;
  }

  Result<std::string> parse_name(std::string_view what) {
    if (lexer_.token().kind == Token::Kind::kString) return parse_text(what);
    return parse_identifier(lexer_, what);
  }

  Result<std::string> parse_text(std::string_view what) {
    const Token token = lexer_.token();
    if (token.kind != Token::Kind::kString) return lexer_.unexpected(what);
    HF_TRY(std::string text, lexer_.text_of(token));
    lexer_.advance();
    return text;
  }

  Lexer& lexer_;
  SchemaSource source_;
  int depth_ = 0;
};

}  // namespace

Result<SchemaSource> read_schema(std::string_view text) {
  HF_TRY(Lexer lexer, Lexer::open(text));
  return SchemaParser(lexer).parse();
}

}  // namespace holdfast::policy
