#include "inspect/jinja.h"

#include <gmock/gmock-more-matchers.h>

namespace holdfast::inspect {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// Cut from the ways in which published chat templates are written.
TEST(Jinja, LeavesHonestChatTemplatesAlone) {
  for (const auto* text : {"{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + "
                           "message['content']}}{% endfor %}",
                           "{%- set ns = namespace(found=false) -%}{%- if messages[0].role == 'system' "
                           "-%}{%- set ns.found = true %}{%- endif %}",
                           "{{ raise_exception('roles must alternate') }}{{ tools | "
                           "map(attribute='function') | list | tojson }}",
                           "{%- macro render(x) %}{{ x.split('</think>')[-1].lstrip('\\n') }}{% endmacro "
                           "%}{{ render(messages[0].content) }}",
                           "{# __class__ in a comment #} and __class__ in the text, {% raw %}{{ x.__class__ "
                           "}}{% endraw %} or raw",
                           "{% if a in ['x'|upper, 'y'] %}{{ b['k'] | trim }}{{ c['k'].d }}{% endif %}",
                           "{{ strftime_now('%d %b %Y') }}", "", "{", "{{", "{%"}) {
    EXPECT_THAT(jinja_constructs(text), IsEmpty()) << text;
  }
}

TEST(Jinja, SeesEveryWayToPythonsInternals) {
  for (const auto* text : {"{{ ().__class__.__base__ }}",
                           "{{ x['__class__'] }}",
                           "{{ x|attr('y') }}",
                           "{{ x['\\x5f\\x5fclass__'] }}",
                           "{{ x['\\137_class__'] }}",
                           "{{ x['\\u005f_class__'] }}",
                           "{{ x['\\N{LOW LINE}_class__'] }}",
                           "{{ x['__cl' ~ 'ass__'] }}",
                           "{{ x['_' ~ '_class_' + '_'] }}",
                           "{{ x[('_' * 2) ~ 'class'] }}",
                           "{{ x | map('attr', y) }}",
                           "{% for c in x.mro() %}{% endfor %}",
                           "{{ x.gi_frame.f_builtins }}",
                           "{{ cycler }}",
                           "{{ lipsum.x }}",
                           "{{ self._TemplateReference }}",
                           "{% include 'x' %}",
                           "{%- import 'a' as b %}",
                           "{{ os.popen('id') }}",
                           "{{ {'}}': x.__init__} }}",
                           "{{ '{0.__class__}'.format(x) }}",
                           "{{ x['_X_class_X_'|replace('X', '_')] }}",
                           "{{ x.y['_ssalc_'[::-1]] }}",
                           "{{ x.__class__"}) {
    EXPECT_THAT(jinja_constructs(text), Not(IsEmpty())) << text;
  }
}

TEST(Jinja, SaysWhereAndWhat) {
  const auto found = jinja_constructs("a\n{{ b }}\n{{ c.__class__ }}\n{{ d|attr(e) }}");
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_EQ(found[0].line, 3U);
  EXPECT_EQ(found[0].offset, 15U);
  EXPECT_EQ(found[0].severity, Severity::kCritical);
  EXPECT_THAT(found[0].what, HasSubstr("\"__class__\""));
  EXPECT_EQ(found[1].line, 4U);
}

TEST(Jinja, IsBounded) {
  std::string text;
  for (std::size_t i = 0; i < 3 * kMaxJinjaConstructs; ++i) text += "{{ a.__b__ }}";
  EXPECT_THAT(jinja_constructs(text), SizeIs(kMaxJinjaConstructs));
}

}  // namespace
}  // namespace holdfast::inspect
