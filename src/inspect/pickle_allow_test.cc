#include "inspect/pickle_allow.h"

#include <gmock/gmock-matchers.h>

#include "inspect/pickle_names.h"

namespace holdfast::inspect {
namespace {

using base::ErrorCode;
using testing::HasSubstr;

TEST(AllowListParse, TakesEntriesAndComments) {
  const auto list =
      PickleAllowList::parse("# head\n\n new  a.b\tC # why\r\ncall a f\nreference a.* *").value();
  EXPECT_EQ(list.size(), 3U);
  EXPECT_EQ(list.find("a.b", "C"), PickleRole::kNew);
  EXPECT_EQ(list.find("a", "f"), PickleRole::kCall);
  EXPECT_EQ(list.find("a", "g"), std::nullopt);
  EXPECT_EQ(list.find("a.b", "g"), PickleRole::kReference);
}

TEST(AllowListParse, RefusesOtherLinesByNumber) {
  for (const auto* text : {"\nnew a", "\nnew a b c", "\nallow a b", "\nnew"}) {
    const auto list = PickleAllowList::parse(text);
    ASSERT_FALSE(list.has_value()) << text;
    EXPECT_EQ(list.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(list.error().message, HasSubstr("line 2")) << text;
  }
}

TEST(AllowListParse, IsBounded) {
  std::string text;
  for (std::size_t i = 0; i <= PickleAllowList::kMaxEntries; ++i) text += "new a b\n";
  EXPECT_EQ(PickleAllowList::parse(text).error().code, ErrorCode::kLimitExceeded);
}

TEST(AllowListPatterns, ReachNoDottedNameNorNeighbour) {
  const auto list = PickleAllowList::parse("new acme.* *").value();
  EXPECT_TRUE(list.find("acme.models", "Scorer").has_value());
  EXPECT_FALSE(list.find("acme.models", "os.system").has_value());
  EXPECT_FALSE(list.find("acme", "Scorer").has_value());
  EXPECT_FALSE(list.find("acmes.models", "Scorer").has_value());
}

TEST(AllowListExtension, GoesFirst) {
  const auto mine = PickleAllowList::parse("reference numpy dtype\nnew acme A").value();
  const auto both = PickleAllowList::builtin().extended_by(mine);
  EXPECT_EQ(both.find("numpy", "dtype"), PickleRole::kReference);
  EXPECT_EQ(both.find("acme", "A"), PickleRole::kNew);
  EXPECT_EQ(both.find("collections", "OrderedDict"), PickleRole::kConstruct);
}

TEST(BuiltinAllowList, HasTheFrameworksAndNoneOfTheirGadgets) {
  const auto& list = PickleAllowList::builtin();
  EXPECT_GT(list.size(), 3000U);
  EXPECT_EQ(list.find("sklearn.linear_model._logistic", "LogisticRegression"), PickleRole::kNew);
  EXPECT_EQ(list.find("torch._utils", "_rebuild_tensor_v2"), PickleRole::kCall);
  EXPECT_EQ(list.find("builtins", "getattr"), PickleRole::kCallGetattr);
  const std::pair<std::string_view, std::string_view> gadgets[] = {
      {"os", "system"},
      {"builtins", "eval"},
      {"builtins", "type"},
      {"numpy", "load"},
      {"pandas", "eval"},
      {"pandas", "read_pickle"},
      {"torch", "load"},
      {"torch.hub", "load"},
      {"joblib", "load"},
      {"joblib.numpy_pickle", "load"},
      {"operator", "attrgetter"},
      {"scipy.stats._continuous_distns", "norm_gen"},
      {"numpy.core", "_ufunc_reconstruct"}};
  for (const auto& [module, name] : gadgets)
    EXPECT_FALSE(list.find(module, name).has_value()) << module << '.' << name;
}

TEST(Roles, AreNamedAsTheListWritesThem) {
  EXPECT_EQ(to_string(PickleRole::kReference), "reference");
  EXPECT_EQ(to_string(PickleRole::kCallGetattr), "call-getattr");
  EXPECT_TRUE(is_class(PickleRole::kNew));
  EXPECT_TRUE(is_class(PickleRole::kArray));
  EXPECT_FALSE(is_class(PickleRole::kReference));
  EXPECT_FALSE(is_class(PickleRole::kCall));
}

TEST(DangerOf, WordsTheKnownOnes) {
  EXPECT_FALSE(danger_of("os", "system").empty());
  EXPECT_FALSE(danger_of("os", "environ.get").empty());
  EXPECT_FALSE(danger_of("numpy.f2py.crackfortran", "myeval").empty());
  EXPECT_FALSE(danger_of("builtins", "eval.__call__").empty());
  EXPECT_TRUE(danger_of("builtins", "evaluate").empty());
  EXPECT_TRUE(danger_of("numpy.f2pyx", "a").empty());
  EXPECT_TRUE(danger_of("acme", "Scorer").empty());
}

TEST(DangerousWord, IsAModuleOrAName) {
  EXPECT_TRUE(is_dangerous_word("os"));
  EXPECT_TRUE(is_dangerous_word("importlib.util"));
  EXPECT_TRUE(is_dangerous_word("eval"));
  EXPECT_FALSE(is_dangerous_word("builtins"));
  EXPECT_FALSE(is_dangerous_word("weights"));
}

TEST(Python3Name, TranslatesModulesAndNames) {
  using Pair = std::pair<std::string_view, std::string_view>;
  EXPECT_EQ(python3_name("__builtin__", "xrange"), Pair("builtins", "range"));
  EXPECT_EQ(python3_name("__builtin__", "eval"), Pair("builtins", "eval"));
  EXPECT_EQ(python3_name("copy_reg", "_reconstructor"), Pair("copyreg", "_reconstructor"));
  EXPECT_EQ(python3_name("itertools", "imap"), Pair("builtins", "map"));
  EXPECT_EQ(python3_name("itertools", "chain"), Pair("itertools", "chain"));
  EXPECT_EQ(python3_name("numpy", "dtype"), Pair("numpy", "dtype"));
}

}  // namespace
}  // namespace holdfast::inspect
