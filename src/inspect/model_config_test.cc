#include "inspect/model_config.h"

#include <gmock/gmock-more-matchers.h>

namespace holdfast::inspect {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<Finding> json(std::string_view text) {
  Findings findings;
  EXPECT_THAT(inspect_json_config(text, "config.json", findings), IsEmpty());
  return findings.take();
}

std::vector<Finding> yaml(std::string_view text) {
  Findings findings;
  inspect_yaml_config(text, "model_config.yaml", findings);
  return findings.take();
}

void expect_one(const std::vector<Finding>& found, std::string_view rule, const std::string& said) {
  ASSERT_THAT(found, SizeIs(1)) << said;
  EXPECT_EQ(found[0].rule_id, rule);
  EXPECT_THAT(found[0].message, HasSubstr(said));
}

TEST(ModelConfig, FollowsYamlHoweverItIsWritten) {
  for (const std::string_view written :
       {"_target_: |-\n  os.system\n", "_target_: >-\n  os.system\n", "_target_:\n  os.system\n",
        "_target_: !!str os.system\n", "_target_: &x os.system\n", "? _target_\n: os.system\n",
        "a: {\"_targ\\u0065t_\": os.system}\n", "\"_tar\\\n  get_\": os.system\n", "target: os.system\n",
        "class_path: subprocess.Popen\n", "a:\n  - builtins.exec\n",
        "x: !!pyth%6fn/object/apply:os.system [id]\n",
        "%TAG !p! tag:yaml.org,2002:pyth\n---\nx: !p!on/object/apply:os.system [id]\n"}) {
    const auto found = yaml(written);
    ASSERT_FALSE(found.empty()) << written;
    EXPECT_EQ(found[0].rule_id, "config.dangerous-target") << written;
  }
  EXPECT_EQ(yaml("a: &k _target_\n? *k\n: os.system\n").back().rule_id, "config.unknown-target");
  expect_one(yaml("x: &x os.system\nb:\n  _target_: *x\n"), "config.unknown-target", "line 3");
  EXPECT_EQ(yaml("_target_: ${oc.env:TARGET}\n").back().rule_id, "config.unknown-target");
  EXPECT_THAT(yaml("# _target_: os.system\nos: linux\na:\n  - subprocesses\n_target_:\nb: c\n"), IsEmpty());
}

TEST(ModelConfig, NamesModulesThatSentenceTransformersWouldLoad) {
  Findings findings;
  const std::string_view modules = R"([{"idx": 0, "type": "sentence_transformers.models.Transformer"},
                                       {"idx": 1, "type": "acme.Pooling"}])";
  EXPECT_THAT(inspect_json_config(modules, "model/modules.json", findings), IsEmpty());
  expect_one(findings.take(), "config.unknown-target", "acme.Pooling");
}

TEST(ModelConfig, NamesTheCodeThatALoaderWouldRun) {
  expect_one(json(R"({"auto_map": {"AutoModel": "modeling_x.X"}})"), "config.custom-code",
             "\"modeling_x.X\"");
  expect_one(json(R"({"auto_map": {"AutoTokenizer": ["a/b--tok.T", null]}})"), "config.custom-code",
             "another repository");
  expect_one(json(R"({"custom_pipelines": {"p": {"impl": "pipe.P", "pt": ["AutoModel"]}}})"),
             "config.custom-code", "pipe.P");
  expect_one(
      json(R"({"auto_mapping": {"base_model_class": "X", "parent_library": "transformers_modules.a"}})"),
      "config.custom-code", "transformers_modules.a");
  expect_one(json(R"({"trust_remote_code": true})"), "config.custom-code", "trust_remote_code");
}

TEST(ModelConfig, DecidesOnTargetsByTheirLibrary) {
  expect_one(json(R"({"a": [{"_target_": "os.system"}]})"), "config.dangerous-target", "os.system");
  expect_one(json(R"({"\u005ftarget_": "builtins.exec"})"), "config.dangerous-target", "builtins.exec");
  expect_one(json(R"({"_target_": "torch.nn.modules.os.system"})"), "config.dangerous-target",
             "torch.nn.modules.os.system");
  expect_one(json(R"({"_target_": "acme.Model"})"), "config.unknown-target", "acme.Model");
  EXPECT_THAT(json(R"({"_target_": "nemo.collections.asr.models.EncDecCTCModel"})"), IsEmpty());
  expect_one(yaml("a: 1\nb:\n  _target_: subprocess.run\n"), "config.dangerous-target", "line 3");
  expect_one(yaml("b: {x: 1, '_target_': \"acme.X\"}"), "config.unknown-target", "acme.X");
  EXPECT_THAT(yaml("optim:\n  _target_: torch.optim.AdamW\n"), IsEmpty());
}

TEST(ModelConfig, ReadsChatTemplates) {
  expect_one(json(R"({"chat_template": "{{ x.__class__ }}"})"), "config.template-code", "__class__");
  expect_one(json(R"({"chat_template": [{"name": "tool_use", "template": "{{ lipsum }}"}]})"),
             "config.template-code", "lipsum");
  EXPECT_THAT(json(R"({"chat_template": "{% for m in messages %}{{ m.content }}{% endfor %}"})"), IsEmpty());
}

TEST(ModelConfig, DecidesOnSkopsNodesByTheListOfPickles) {
  expect_one(json(R"({"__class__": "system", "__module__": "os", "__loader__": "FunctionNode"})"),
             "config.dangerous-target", "os.system");
  expect_one(json(R"({"content": {"a": {"__loader__": "ObjectNode", "__module__": "acme", "__class__": "M"}},
                      "__class__": "dict", "__module__": "builtins", "__loader__": "DictNode"})"),
             "config.unknown-target", "acme.M");
  EXPECT_THAT(
      json(
          R"({"__class__": "LogisticRegression", "__module__": "sklearn.linear_model._logistic", "__loader__": "ObjectNode"})"),
      IsEmpty());
}

TEST(ModelConfig, ReadsMlflowAndYamlTags) {
  expect_one(yaml("flavors:\n  python_function:\n    loader_module: acme_loader\n"), "config.unknown-target",
             "acme_loader");
  EXPECT_THAT(yaml("    loader_module: mlflow.sklearn\n"), IsEmpty());
  expect_one(yaml("x: !!python/object/apply:os.system ['id']"), "config.dangerous-target",
             "python/object/apply");
  EXPECT_THAT(yaml("x: !!python/tuple [1, 2]"), IsEmpty());
}

TEST(ModelConfig, ThatNamesNoCodeIsClean) {
  EXPECT_THAT(json(R"({"architectures": ["BertModel"], "hidden_size": 768, "eos_token": "</s>"})"),
              IsEmpty());
  EXPECT_THAT(json("[1, 2"), IsEmpty());
  EXPECT_THAT(yaml("name: my_target_: x\nlicense: mit\n"), IsEmpty());
}

TEST(ModelConfig, ThatNamesCodeAndBreaksOffIsNotCleared) {
  Findings findings;
  EXPECT_THAT(inspect_json_config("{\"_target_\": \"os.system\", NaN", "a", findings), SizeIs(1));
  EXPECT_THAT(findings.items(), SizeIs(2));
}

TEST(ModelConfig, NamesWhatReachesBeyondTheModel) {
  const auto rules = [](std::string_view yaml, const std::string& path) {
    Findings findings;
    inspect_yaml_config(yaml, path, findings);
    std::vector<std::string> out;
    for (const auto& finding : findings.items()) out.push_back(finding.rule_id + ": " + finding.message);
    return out;
  };
  using testing::ElementsAre;
  EXPECT_THAT(rules("key: ${oc.env:AWS_SECRET_ACCESS_KEY,none}\n", "model_config.yaml"),
              ElementsAre("config.environment: line 1: it reads the environment variable "
                          "\"AWS_SECRET_ACCESS_KEY\""));
  EXPECT_THAT(rules("a: nemo:tokenizer.model\nb: nemo:../../etc/passwd\n", "model_config.yaml"),
              ElementsAre("config.path-escape: line 2: it names \"../../etc/passwd\""));
  const std::string_view mlmodel =
      "flavors:\n  python_function:\n    code: ../elsewhere\n    data: '/etc'\n    model_path: model.pkl\n";
  EXPECT_THAT(rules(mlmodel, "m/MLmodel"),
              ElementsAre("config.path-escape: line 3: it names \"../elsewhere\"",
                          "config.path-escape: line 4: it names \"/etc\""));
  EXPECT_TRUE(rules(mlmodel, "other.yaml").empty());
}

}  // namespace
}  // namespace holdfast::inspect
