#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include <nlohmann/json.hpp>

#include "cli/testing.h"
#include "crypto/sign.h"

// What the commands of the server ask, print and exit with, against answers that are given.

namespace holdfast::cli {
namespace {

using testing::HasSubstr;

void write(const std::filesystem::path& path, std::string_view text) { std::ofstream(path) << text; }

void write_secret(const std::filesystem::path& path, std::string_view text) {
  using std::filesystem::perms;
  write(path, text);
  std::filesystem::permissions(path, perms::owner_read | perms::owner_write);
}

std::string read(const std::filesystem::path& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

nlohmann::json body_of(const ApiRequest& request) {
  return nlohmann::json::parse(std::get<std::string>(request.body));
}

ScriptedBackend always(int status, const std::string& body) {
  return ScriptedBackend([status, body](const ApiRequest&) { return answer_of(status, body); });
}

constexpr const char* kVersion =
    R"({"model":"credit","version":2,"digest":"sha256:00","size_bytes":7,"format":"onnx","state":"quarantined"})";

TEST(RegisterCommand, SendsTheFileAndShowsTheVersion) {
  const TestFolder folder;
  write(folder.path() / "a model.onnx", "weights");
  std::string sent;
  ScriptedBackend backend([&sent](const ApiRequest& request) {
    sent.resize(7);
    EXPECT_EQ(::read(std::get<net::FileBody>(request.body).fd, sent.data(), sent.size()), 7);
    return answer_of(201, std::string(R"({"accepted":true,"version":)") + kVersion + "}");
  });
  const auto file = (folder.path() / "a model.onnx").string();
  const auto done = holdfast(backend, folder.path(), {"register", file, "--model", "credit"});
  EXPECT_EQ(done.code, 0) << done.error;
  EXPECT_EQ(done.out, "credit version 2: onnx, 7 bytes, quarantined\ndigest: sha256:00\n");
  EXPECT_EQ(sent, "weights");
  EXPECT_EQ(backend.seen[0].target, "/v1/models/credit/versions?file=a%20model.onnx");
}

TEST(RegisterCommand, NamesEveryFindingOfWhatIsRefused) {
  const TestFolder folder;
  write(folder.path() / "m", "x");
  const std::string refusal =
      R"({"accepted":false,"reason":"it would run a command","findings":[{"rule":"pickle.dangerous-global",)"
      R"("severity":"critical","path":"m!data.pkl","offset":12,"message":"os.system"}]})";
  auto backend = always(422, refusal);
  const auto file = (folder.path() / "m").string();
  const auto text = holdfast(backend, folder.path(), {"register", file, "--model", "credit"});
  EXPECT_EQ(text.code, 1);
  EXPECT_EQ(
      text.out,
      "refused: it would run a command\n  critical pickle.dangerous-global: os.system\n    in m!data.pkl at "
      "byte 12\n");
  const auto json = holdfast(backend, folder.path(), {"register", file, "--model", "credit", "--json"});
  EXPECT_EQ(json.code, 1);
  EXPECT_EQ(json.out, refusal + "\n");
}

TEST(EndpointCommand, ShowsTheDriftOfEachColumn) {
  const TestFolder folder;
  auto drifted = always(200, R"({"name":"credit","model":"credit","requests_per_second":9,"rows_in_window":7,
      "release":{"version":2},"history":[],"drift":{"version":2,"rows":500,"at":"2026-11-23T12:00:00Z",
      "state":"drifted","columns":[{"column":"PAY_0","score":false,"state":"drifted","adjusted_p_value":"1e-09",
      "figures":[{"name":"psi","value":"0.31","low":"0.28","high":"0.35"}]},
      {"column":"","score":true,"state":"stable","adjusted_p_value":"0.4","figures":[]}],
      "estimate":{"state":"holds","figures":[{"name":"accuracy","value":"0.8","low":"0.7","high":"0.9"}]}}})");
  const auto shown = holdfast(drifted, folder.path(), {"endpoint", "show", "credit"});
  EXPECT_EQ(shown.code, 0);
  EXPECT_THAT(shown.out, HasSubstr("drift of version 2 in the last window, 500 rows to 2026-11-23T12:00:00Z: "
                                   "drifted\n"));
  EXPECT_THAT(shown.out, HasSubstr("PAY_0              drifted  1e-09         psi 0.31 (0.28 to 0.35)\n"));
  EXPECT_THAT(shown.out, HasSubstr("the model's score  stable   0.4"));
  EXPECT_THAT(shown.out, HasSubstr("performance without labels: holds: accuracy 0.8 (0.7 to 0.9)\n"));
  auto fresh = always(200, R"({"name":"credit","model":"credit","release":{"version":2},"history":[]})");
  EXPECT_THAT(holdfast(fresh, folder.path(), {"endpoint", "show", "credit"}).out,
              HasSubstr("drift: no window of predictions is full yet\n"));
}

TEST(EndpointCommand, SendsWhatIsToChangeAlone) {
  const TestFolder folder;
  auto backend = always(200, R"({"name":"credit","model":"credit","requests_per_second":100,
      "guard":{"learned_domain":"refuse","limits":{"AGE":{"low":"18","high":"100"}}}})");
  const auto set = [&](std::vector<std::string> options) {
    options.insert(options.begin(), {"endpoint", "set", "credit"});
    return holdfast(backend, folder.path(), options);
  };
  const auto changed = set({"--learned-domain", "refuse", "--limit", "AGE=18:100", "--no-limit", "PAY_0"});
  EXPECT_EQ(changed.code, 0) << changed.error;
  EXPECT_EQ(backend.seen[0].method, "PATCH");
  EXPECT_EQ(body_of(backend.seen[0]), nlohmann::json::parse(R"({"guard":{"learned_domain":"refuse","limits":
                {"AGE":{"low":"18","high":"100"},"PAY_0":null}}})"));
  EXPECT_THAT(changed.out, HasSubstr("guard: outside of what training has seen is refused\n"
                                     "guard: AGE outside of 18 to 100 is refused\n"));
  EXPECT_EQ(set({}).code, 64);
  EXPECT_EQ(set({"--limit", "AGE"}).code, 64);
  EXPECT_EQ(set({"--learned-domain", "maybe"}).code, 64);
  EXPECT_EQ(backend.seen.size(), 1U);
}

TEST(EndpointCommand, WithdrawsAndRemoves) {
  const TestFolder folder;
  auto backend = always(200, R"({"endpoint":"credit","version":2,"serial":4,"released_at":"now"})");
  EXPECT_EQ(holdfast(backend, folder.path(), {"withdraw", "credit"}).out,
            "credit serves nothing since now: release 4 withdrew version 2\n");
  EXPECT_EQ(holdfast(backend, folder.path(), {"endpoint", "remove", "credit"}).out, "credit is removed\n");
  EXPECT_EQ(backend.seen[0].target, "/v1/endpoints/credit/withdraw");
  EXPECT_EQ(backend.seen[1].method, "DELETE");
  auto serving = always(409, R"({"detail":"withdraw that first"})");
  EXPECT_EQ(holdfast(serving, folder.path(), {"endpoint", "remove", "credit"}).code, 2);
}

TEST(ApproveCommand, TellsEveryRequirement) {
  const TestFolder folder;
  auto refusing = always(422, R"({"passed":false,"looks_at_test_part":3,"requirements":[
      {"id":"auc","outcome":"passed","sentence":"passed: auc","remedy":"more data"},
      {"id":"pgd","outcome":"fell short","sentence":"fell short: pgd","remedy":"harden it"}],"waivers":[]})");
  const auto refused = holdfast(refusing, folder.path(), {"approve", "credit", "2"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_EQ(refused.out,
            "the gates refuse\n  auc: passed: auc\n  pgd: fell short: pgd\n    do: harden it\n"
            "looks at the test part so far: 3\n");
  EXPECT_EQ(refusing.seen[0].target, "/v1/models/credit/versions/2/approve");
  auto passing = always(200, R"({"passed":true,"requirements":[]})");
  EXPECT_EQ(holdfast(passing, folder.path(), {"approve", "credit", "2", "--json"}).code, 0);
}

TEST(ApproveCommand, SaysWhatIsSoUnderAWaiver) {
  const TestFolder folder;
  auto waived = always(200, R"({"passed":true,"requirements":[
      {"id":"pgd","outcome":"fell short","sentence":"fell short: pgd","remedy":"harden it"}],
      "waivers":[{"requirement":"pgd","granted_by":"ada","expires_at":"2026-12-01","reason":"pilot"}]})");
  const auto approved = holdfast(waived, folder.path(), {"approve", "credit", "2"});
  EXPECT_EQ(approved.code, 0);
  EXPECT_EQ(approved.out,
            "the gates refuse, but for what is waived: pgd\n  pgd: fell short: pgd\n    do: harden it\n"
            "  waived: pgd by ada until 2026-12-01, since pilot\n");
}

TEST(ExportCommand, TellsWhatItSavedAsJson) {
  const TestFolder folder;
  auto backend = always(200, "abc");
  const auto file = (folder.path() / "m.onnx").string();
  const auto saved = holdfast(backend, folder.path(), {"export", "credit", "2", "--out", file, "--json"});
  EXPECT_EQ(saved.code, 0) << saved.error;
  EXPECT_EQ(read(file), "abc");
  // FIPS 180-2, appendix B.1
  EXPECT_EQ(nlohmann::json::parse(saved.out),
            nlohmann::json(
                {{"model", "credit"},
                 {"version", 2},
                 {"file", file},
                 {"size_bytes", 3},
                 {"digest", "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}}));
  EXPECT_EQ(holdfast(backend, folder.path(), {"export", "credit", "2", "--out", file}).out, "");
}

TEST(EvaluateCommand, ShowsFiguresGainsAndTheGate) {
  const TestFolder folder;
  const std::string zeros(64, '0');
  const auto figure = [](const char* name, const char* value, const char* low, const char* high,
                         const char* over) {
    nlohmann::json one{{"name", name}, {"value", value},       {"low", low},   {"high", high},
                       {"rows", 3000}, {"confidence", "0.95"}, {"method", "m"}};
    if (*over != 0) one["over"] = over;
    return one;
  };
  const nlohmann::json answer{
      {"evaluation",
       {{"model", "sha256:" + zeros},
        {"dataset", "sha256:" + zeros},
        {"split", "test"},
        {"rows", 3000},
        {"seed", "1"},
        {"threshold", "0.5"},
        {"minimum_group_rows", 100},
        {"version", 1},
        {"left_out", nlohmann::json::array()},
        {"figures",
         {figure("auc", "0.77", "0.75", "0.79", ""), figure("auc", "0.02", "0.01", "0.03", "champion"),
          figure("brier", "0.02", "0.01", "0.03", "champion"),
          figure("accuracy", "0.01", "-0.01", "0.03", "champion")}}}},
      {"gate", {{"passed", false}, {"requirements", nlohmann::json::array()}}},
      {"warnings", {"the lab is not there"}}};
  auto backend = always(200, answer.dump());
  const auto shown = holdfast(backend, folder.path(), {"evaluate", "credit", "2", "--champion", "1"});
  EXPECT_EQ(shown.code, 1) << shown.error;
  EXPECT_THAT(shown.out, HasSubstr("auc     0.7700  0.7500 to 0.7900 at 95%  3000\n"));
  EXPECT_THAT(shown.out, HasSubstr("auc         +0.0200  0.0100 to 0.0300 at 95%   gain\n"));
  EXPECT_THAT(shown.out, HasSubstr("brier       +0.0200  0.0100 to 0.0300 at 95%   cost\n"));
  EXPECT_THAT(shown.out, HasSubstr("accuracy    +0.0100  -0.0100 to 0.0300 at 95%  could not tell\n"));
  EXPECT_THAT(shown.out, HasSubstr("warning: the lab is not there\n"));
  EXPECT_EQ(body_of(backend.seen[0])["champion"], 1);
}

TEST(ServerCommands, TurnStatusesIntoExitCodes) {
  const TestFolder folder;
  struct Case {
    int status;
    int code;
  };
  for (const auto& [status, code] :
       {Case{400, 64}, Case{401, 1}, Case{403, 1}, Case{404, 2}, Case{409, 2}, Case{422, 2}, Case{500, 2}}) {
    auto backend = always(status, R"({"detail":"so it is"})");
    const auto refused = holdfast(backend, folder.path(), {"release", "credit", "2"});
    EXPECT_EQ(refused.code, code) << status;
    EXPECT_EQ(refused.error, "holdfast: so it is\n");
    EXPECT_EQ(refused.out, "");
  }
}

TEST(RollbackCommand, NamesAVersionOnlyWhereOneIsGiven) {
  const TestFolder folder;
  auto backend = always(201, R"({"endpoint":"credit","version":1,"serial":3,"digest":"sha256:00"})");
  EXPECT_EQ(holdfast(backend, folder.path(), {"rollback", "credit"}).code, 0);
  EXPECT_EQ(holdfast(backend, folder.path(), {"rollback", "credit", "--to", "1"}).code, 0);
  EXPECT_EQ(body_of(backend.seen[0]), nlohmann::json::object());
  EXPECT_EQ(body_of(backend.seen[1]), nlohmann::json({{"version", 1}}));
}

TEST(GrantCommand, FindsThePrincipalByItsName) {
  const TestFolder folder;
  const std::string id(32, 'a');
  const std::string principals = R"({"principals":[{"id":")" + id +
                                 R"(","kind":"service","name":"scorer","groups":[]},
      {"id":"x","kind":"person","name":"twice"},{"id":"y","kind":"service","name":"twice"}]})";
  ScriptedBackend backend([&](const ApiRequest& request) {
    return request.method == "GET" ? answer_of(200, principals) : answer_of(201, R"({"policy":"grant-1"})");
  });
  const auto granted = holdfast(backend, folder.path(), {"grant", "scorer", "infer", "Endpoint", "credit"});
  EXPECT_EQ(granted.out, "scorer may infer on Endpoint credit: policy grant-1\n");
  EXPECT_EQ(body_of(backend.seen.back()),
            nlohmann::json({{"principal", id}, {"action", "infer"}, {"type", "Endpoint"}, {"id", "credit"}}));
  EXPECT_EQ(holdfast(backend, folder.path(), {"grant", "nobody", "infer", "Endpoint", "c"}).error,
            "holdfast: there is no principal nobody\n");
  EXPECT_THAT(holdfast(backend, folder.path(), {"grant", "twice", "infer", "Endpoint", "c"}).error,
              HasSubstr("more than one principal"));
}

TEST(ServiceCommand, SaysWhatWasMadeWhereItsKeyIsRefused) {
  const TestFolder folder;
  const auto key = (folder.path() / "key.pem").string();
  write(key, crypto::PrivateKey::generate(crypto::KeyAlgorithm::kEd25519).public_key().to_pem());
  ScriptedBackend backend([](const ApiRequest& request) {
    if (request.target == "/v1/services") return answer_of(201, R"({"id":"abc"})");
    return answer_of(409, R"({"detail":"the key is known"})");
  });
  const auto refused = holdfast(backend, folder.path(), {"service", "create", "scorer", "--key", key});
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.error, HasSubstr("the service abc was made, but has no key yet"));
  write(key, "nonsense");
  EXPECT_EQ(holdfast(backend, folder.path(), {"service", "create", "scorer", "--key", key}).code, 64);
  EXPECT_EQ(backend.seen.size(), 2U) << "a wrong file makes no service";
}

TEST(LoginCommand, PrintsTheTokenAlone) {
  const TestFolder folder;
  write_secret(folder.path() / "password", "a pass&word\n");
  auto backend = always(200, R"({"access_token":"hft_1","token_type":"Bearer","expires_in":3600})");
  const auto signed_in = holdfast(backend, folder.path(),
                                  {"login", "ada", "--password-file", (folder.path() / "password").string()});
  EXPECT_EQ(signed_in.out, "hft_1\n");
  EXPECT_EQ(std::get<std::string>(backend.seen[0].body),
            "grant_type=password&username=ada&password=a%20pass%26word&audience=api");
}

TEST(LoginCommand, RefusesAPasswordFileThatOthersCanRead) {
  const TestFolder folder;
  const auto file = folder.path() / "password";
  write_secret(file, "a pass&word\n");
  std::filesystem::permissions(file, std::filesystem::perms::others_read, std::filesystem::perm_options::add);
  auto backend = always(200, "{}");
  const auto refused = holdfast(backend, folder.path(), {"login", "ada", "--password-file", file.string()});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.error, HasSubstr("run: chmod 600 " + file.string()));
  EXPECT_TRUE(backend.seen.empty());
}

TEST(TokenCommand, SignsAnAssertionForAnEndpoint) {
  const TestFolder folder;
  const auto key = (folder.path() / "key.pem").string();
  const auto pem = crypto::PrivateKey::generate(crypto::KeyAlgorithm::kEcdsaP256).to_pem();
  write_secret(key, pem.reveal_text());
  auto backend = always(200, R"({"access_token":"hft_2"})");
  const auto signed_in =
      holdfast(backend, folder.path(),
               {"token", "--service", std::string(32, 'a'), "--key", key, "--audience", "endpoint:credit"});
  EXPECT_EQ(signed_in.out, "hft_2\n") << signed_in.error;
  const auto form = std::get<std::string>(backend.seen[0].body);
  EXPECT_THAT(form, HasSubstr("grant_type=client_credentials&client_assertion_type=urn%3Aietf%3Aparams"));
  EXPECT_THAT(form, HasSubstr("&audience=endpoint%3Acredit"));
}

TEST(SignatureCommand, WritesBundleAndKey) {
  const TestFolder folder;
  auto backend = always(200, R"({"bundle":"{}","public_key":"PEM"})");
  const auto saved = holdfast(backend, folder.path(),
                              {"signature", "credit", "2", "--out", (folder.path() / "sig").string(),
                               "--key-out", (folder.path() / "pem").string()});
  EXPECT_EQ(saved.code, 0) << saved.error;
  EXPECT_EQ(read(folder.path() / "sig"), "{}");
  EXPECT_EQ(read(folder.path() / "pem"), "PEM");
}

TEST(EvidenceCommand, TakesNoNameOfAFileFromTheServer) {
  const TestFolder folder;
  const std::string digest(64, 'a');
  auto good = always(200, R"({"public_key":"PEM","evidence":[{"id":1,"digest":"sha256:)" + digest +
                              R"(","predicate_type":"t","envelope":"{}"}]})");
  const auto out = folder.path() / "out";
  EXPECT_EQ(holdfast(good, folder.path(), {"evidence", "credit", "2", "--out", out.string()}).code, 0);
  EXPECT_EQ(read(out / (digest + ".dsse.json")), "{}");
  EXPECT_EQ(read(out / "public_key.pem"), "PEM");
  auto hostile =
      always(200, R"({"public_key":"PEM","evidence":[{"id":1,"digest":"../../x","envelope":"{}"}]})");
  EXPECT_NE(holdfast(hostile, folder.path(), {"evidence", "credit", "2", "--out", out.string()}).code, 0);
}

TEST(PostureCommand, CountsTheStates) {
  const TestFolder folder;
  auto backend =
      always(200, R"({"practices":[{"id":"P01","title":"One","state":"holds","why":"w","evidence":[{}]},
      {"id":"P02","title":"Two","state":"not-in-use","why":"v","evidence":[]}]})");
  EXPECT_EQ(holdfast(backend, folder.path(), {"posture"}).out,
            "P01  holds        One\n     w\n     evidence: 1 (--json names each)\n"
            "P02  not-in-use   Two\n     v\n1 holds, 0 falls-short, 1 not-in-use\n");
}

// The names of the commands that a help text lists.
std::vector<std::string> listed_in(const std::string& help) {
  std::vector<std::string> names;
  std::istringstream lines(help.substr(std::min(help.find("Subcommands:"), help.size())));
  for (std::string line; std::getline(lines, line) && !(line.empty() && !names.empty());) {
    if (line.starts_with("  ") && line[2] != ' ') names.push_back(line.substr(2, line.find(' ', 2) - 2));
  }
  return names;
}

void expect_complete_help(Backend& backend, const std::filesystem::path& folder,
                          const std::vector<std::string>& command) {
  auto arguments = command;
  arguments.emplace_back("--help");
  const auto help = holdfast(backend, folder, arguments).out;
  const auto name = fmt::format("{}", fmt::join(command, " "));
  const auto example = help.find("Example: ");
  ASSERT_NE(example, std::string::npos) << name;
  EXPECT_THAT(help.substr(example), HasSubstr("holdfast " + name));
  EXPECT_THAT(help, HasSubstr("Exit codes: 0 ")) << name;
  for (const auto& each : listed_in(help)) {
    auto deeper = command;
    deeper.push_back(each);
    expect_complete_help(backend, folder, deeper);
  }
}

TEST(Help, OfEveryCommandHasAnExampleOfItAndTheExitCodes) {
  const TestFolder folder;
  auto backend = always(200, "{}");
  EXPECT_GT(listed_in(holdfast(backend, folder.path(), {"--help"}).out).size(), 40U);
  expect_complete_help(backend, folder.path(), {});
}

TEST(ServeCommand, TakesAddressAndPortFromTheSettingsOrTheOptions) {
  const TestFolder folder;
  auto backend = always(200, "{}");
  EXPECT_EQ(holdfast(backend, folder.path(), {"serve"}).code, 0);
  EXPECT_EQ(holdfast(backend, folder.path(), {"serve", "--address", "::1", "--port", "0"}).code, 0);
  EXPECT_EQ(holdfast(backend, folder.path(), {"serve", "--port", "70000"}).code, 64);
  EXPECT_THAT(backend.served, testing::ElementsAre("127.0.0.1:8443", "::1:0"));
}

}  // namespace
}  // namespace holdfast::cli
