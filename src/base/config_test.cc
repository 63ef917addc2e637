#include "base/config.h"

#include <gmock/gmock-matchers.h>

namespace holdfast::base {
namespace {

using testing::HasSubstr;

const ConfigKey kKeys[] = {
    {"server.listen", std::string("localhost:8443"), "address and port"},
    {"server.workers", std::int64_t{4}, "threads", 1, 64},
    {"server.public", false, "answer other hosts"},
    {"egress.allow", std::vector<std::string>{}, "hosts"},
};

Config::Environment environment(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
}

Result<Config> load(std::string_view toml, std::map<std::string, std::string> variables = {}) {
  return Config::load(kKeys, toml, "holdfast.toml", environment(std::move(variables)));
}

TEST(Config, EveryKeyHasADefault) {
  const auto config = load("").value();
  EXPECT_EQ(config.text("server.listen"), "localhost:8443");
  EXPECT_EQ(config.integer("server.workers"), 4);
  EXPECT_EQ(config.settings().at("server.listen").origin, "default");
}

TEST(Config, TheEnvironmentWinsOverTheFileAndBothAreNamed) {
  const auto config =
      load("[server]\nlisten = \"0.0.0.0:1\"\nworkers = 8\n[egress]\nallow = [\"a\", \"b\"]\n",
           {{"HOLDFAST_SERVER_WORKERS", "16"}, {"HOLDFAST_SERVER_PUBLIC", "true"}})
          .value();
  EXPECT_EQ(config.text("server.listen"), "0.0.0.0:1");
  EXPECT_EQ(config.settings().at("server.listen").origin, "holdfast.toml:2");
  EXPECT_EQ(config.integer("server.workers"), 16);
  EXPECT_EQ(config.settings().at("server.workers").origin, "HOLDFAST_SERVER_WORKERS");
  EXPECT_TRUE(config.boolean("server.public"));
  EXPECT_EQ(config.list("egress.allow"), (std::vector<std::string>{"a", "b"}));
}

TEST(Config, AListInTheEnvironmentIsWrittenWithCommas) {
  EXPECT_EQ(load("", {{"HOLDFAST_EGRESS_ALLOW", "a,b"}})->list("egress.allow"),
            (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(load("", {{"HOLDFAST_EGRESS_ALLOW", ""}})->list("egress.allow").empty());
}

TEST(Config, NamesTheLineAndTheRemedy) {
  const auto message = [](const Result<Config>& result) { return result ? "" : result.error().message; };
  EXPECT_THAT(message(load("[server]\n\nlistn = 1")),
              HasSubstr("holdfast.toml:3: there is no setting server.listn"));
  EXPECT_THAT(message(load("[server]\nworkers = \"4\"")), HasSubstr("server.workers takes a whole number"));
  EXPECT_THAT(message(load("[server]\nworkers = 65")), HasSubstr("it takes 1 to 64"));
  EXPECT_THAT(message(load("[egress]\nallow = [1]")), HasSubstr("takes a list of texts"));
  EXPECT_THAT(message(load("listen = 1")), HasSubstr("outside a [section]"));
  EXPECT_THAT(message(load("[server")), HasSubstr("holdfast.toml:1"));
  EXPECT_THAT(message(load("", {{"HOLDFAST_SERVER_WORKERS", "4x"}})), HasSubstr("HOLDFAST_SERVER_WORKERS"));
}

TEST(Config, RefusesAVariableThatCanOnlyBeAMisspeltOne) {
  constexpr std::string_view kOthers[] = {"HOLDFAST_STATE"};
  const auto message = [&](const std::string& name) {
    const std::string names[] = {"PATH", name};
    const auto checked = Config::check_variables(kKeys, kOthers, names);
    return checked ? std::string() : checked.error().message;
  };
  EXPECT_EQ(message("HOLDFAST_SERVER_WORKERS"), "");
  EXPECT_EQ(message("HOLDFAST_STATE"), "");
  EXPECT_THAT(message("HOLDFAST_SERVER_WORKER"), HasSubstr("is HOLDFAST_SERVER_WORKERS meant"));
  EXPECT_THAT(message("HOLDFAST_STAET"), HasSubstr("is HOLDFAST_STATE meant"));
  EXPECT_THAT(message("HOLDFAST_SERVER_THREAD_COUNT"), HasSubstr("there is no such setting"));
  // Others may use the prefix: Kubernetes does, beside a service of this name.
  EXPECT_EQ(message("HOLDFAST_PORT_8443_TCP_ADDR"), "");
  EXPECT_EQ(message("HOLDFAST_SERVICE_HOST"), "");
  EXPECT_EQ(message("HOLDFAST_SERVER_" + std::string(1000, 'X')), "");
}

}  // namespace
}  // namespace holdfast::base
