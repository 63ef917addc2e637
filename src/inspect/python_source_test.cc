#include "inspect/python_source.h"

#include <gmock/gmock-more-matchers.h>

#include <algorithm>

#include "inspect/python_tokens.h"

namespace holdfast::inspect {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<Finding> inspect(std::string_view text) {
  Findings findings;
  EXPECT_THAT(inspect_python(text, {.path = "modeling.py", .part = {}}, findings), IsEmpty());
  return findings.take();
}

struct Case {
  std::string_view code;
  std::string_view rule;
};

void expect_found(const std::vector<Case>& cases) {
  for (const auto& each : cases) {
    const auto found = inspect(each.code);
    const bool named =
        std::any_of(found.begin(), found.end(), [&](const Finding& f) { return f.rule_id == each.rule; });
    EXPECT_TRUE(named) << each.rule << " in:\n"
                       << each.code << "\nfound " << (found.empty() ? "nothing" : found[0].message);
  }
}

TEST(Python, StartingPrograms) {
  expect_found({{"import os\nos.system('id')", "python.process"},
                {"from os import system as s\ns('id')", "python.process"},
                {"import os as o\no.popen(x)", "python.process"},
                {"from os import *\nsystem('id')", "python.process"},
                {"import subprocess\nsubprocess.run(['id'])", "python.process"},
                {"from subprocess import Popen\nPopen(\n  cmd,\n  shell=True)", "python.process"},
                {"run = os.system\nrun('id')", "python.process"},
                {"import importlib\nm = importlib.import_module('os')\nm.system('id')", "python.process"},
                {"import os\nlist(map(os.system, ['id']))", "python.process"},
                {"import os\nThread(target=os.system, args=('id',)).start()", "python.process"},
                {"import os\nrun = (os\n .system)\nrun('id')", "python.process"},
                {"class A:\n  __getattr__ = __import__('os').system\nA().id", "python.process"},
                {"import posix\nposix.execv('/bin/true', ['true'])", "python.process"},
                {"__import__('os').system('id')", "python.process"},
                {"import importlib\nimportlib.import_module('o' + 's').system('id')", "python.process"},
                {"getattr(os, 'system')('id')", "python.process"},
                {"getattr(__import__('os'), 'sys' 'tem')('id')", "python.process"},
                {"m = __import__('subprocess'); m.call('id')", "python.process"},
                {"f = getattr(os, 'system')\nf('id')", "python.process"},
                {"os.__dict__['system']('id')", "python.process"},
                {"vars(os)['system']('id')", "python.process"},
                {"sys.modules['os'].system('id')", "python.process"},
                {"x = f\"{os.system('id')}\"", "python.process"},
                {"x = f'{a + f\"{os.system(1)}\"}'", "python.process"},
                {"[os.system(c) for c in d]", "python.process"},
                {"os \\\n .system('id')", "python.process"},
                {"(os).system('id')", "python.process"},
                {"(m := __import__('os')).system('id')", "python.process"},
                {"if (r := os.system): r('id')", "python.process"},
                {"if x: import os; os.system('id')", "python.process"},
                {"helper.call(x, shell=True)", "python.process"}});
}

TEST(Python, RunningText) {
  expect_found({{"exec(code)", "python.executes-text"},
                {"builtins.eval(x)", "python.executes-text"},
                {"__builtins__['exec'](x)", "python.executes-text"},
                {"globals()['eval'](x)", "python.executes-text"},
                {"e = exec\ne(x)", "python.executes-text"},
                {"compile(a + b, 'x', 'exec')", "python.executes-text"},
                {"exec('import os; os.system(\\'id\\')')", "python.process"},
                {"exec(base64.b64decode('aWQ='))", "python.decoded-code"},
                {"from base64 import b64decode as d\ncode = d(x)\nexec(code)", "python.decoded-code"},
                {"exec(zlib.decompress(bytes.fromhex(x)).decode())", "python.decoded-code"},
                {"exec(__import__('base64').b64decode(x))", "python.decoded-code"},
                {"import requests\nr = requests.get(u)\nexec(r.text)", "python.decoded-code"},
                {"marshal.loads(base64.b64decode(x))", "python.decoded-code"},
                {"eval(''.join(chr(c) for c in x))", "python.decoded-code"},
                {"().__class__.__base__.__subclasses__()", "python.hidden-code"},
                {"\xF0\x9D\x92\x86xec(x)", "python.executes-text"},
                {"\xF0\x9D\x92\x86xec(x)", "python.hidden-code"},
                {"# -*- coding: utf-7 -*-\nx = 1", "python.hidden-code"},
                {"x = 1 # \xE2\x80\xAE off", "python.hidden-code"}});
}

TEST(Python, HidesCodeFarToTheRight) {
  const std::string code = "x = 1;" + std::string(200, ' ') + "y = 2";
  expect_found({{code, "python.hidden-code"}});
}

TEST(Python, LoadingWhatRunsCode) {
  expect_found({{"import pickle\npickle.load(f)", "python.unsafe-load"},
                {"from joblib import load\nload(f)", "python.unsafe-load"},
                {"torch.load(f)", "python.unsafe-load"},
                {"torch.load(f, weights_only=False)", "python.unsafe-load"},
                {"import numpy as n\nn.load(f, allow_pickle=True)", "python.unsafe-load"},
                {"yaml.load(f)", "python.unsafe-load"},
                {"yaml.load(f, Loader=yaml.Loader)", "python.unsafe-load"},
                {"keras.models.load_model(f, safe_mode=False)", "python.unsafe-load"},
                {"AutoModel.from_pretrained(x, trust_remote_code=True)", "python.remote-code"},
                {"torch.hub.load('a/b', 'c')", "python.remote-code"},
                {"importlib.import_module(name)", "python.dynamic-import"},
                {"ctypes.CDLL('x.so')", "python.native-code"},
                {"torch.ops.load_library(p)", "python.native-code"}});
}

TEST(Python, InjectionIntoLanguages) {
  expect_found({{"cursor.execute(f\"SELECT * FROM t WHERE a = '{x}'\")", "python.sql-injection"},
                {"cursor.execute('select a from t where b = ' + x)", "python.sql-injection"},
                {"c.execute('DELETE FROM t WHERE a = %s' % x)", "python.sql-injection"},
                {"q = 'SELECT {}'.format(x)\ndb.execute(q)", "python.sql-injection"},
                {"PromptTemplate(template=f'You are {x}')", "python.prompt-injection"},
                {"m = [{\"role\": \"system\", \"content\": f\"You are {x}\"}]", "python.prompt-injection"},
                {"from jinja2 import Template\nTemplate(x)", "python.template-injection"}});
}

// What published model code does every day.
TEST(Python, HandsOnWhatRunsText) {
  expect_found({{"@exec\n@input\nclass X: pass", "python.executes-text"},
                {"def f(e=eval): e('1')", "python.executes-text"},
                {"list(map(exec, codes))", "python.executes-text"},
                {"import operator\noperator.methodcaller('system', 'id')(os)", "python.hidden-code"}});
  for (const std::string_view honest :
       {"def run(train, eval):\n  if eval: pass", "fit(eval=True)", "model.eval()", "re.compile('a')",
        "import subprocess\ntry: pass\nexcept subprocess.CalledProcessError: pass", "x = f(train, eval)"}) {
    EXPECT_THAT(inspect(honest), IsEmpty()) << honest;
  }
}

TEST(Python, LeavesHonestCodeAlone) {
  for (const auto* code :
       {"import os, re\nfrom torch import nn\nclass A(nn.Module):\n  def forward(self, x):\n    return "
        "self.eval()(x)\n",
        "pattern = re.compile(r'\\d+')\nmodel = torch.compile(model)\nmodel.eval()\ndf.eval('a + b')",
        "torch.load(path, map_location='cpu', weights_only=True)",
        "np.load(path)",
        "yaml.safe_load(f)",
        "yaml.load(f, Loader=yaml.SafeLoader)",
        "yaml.load(f, yaml.CSafeLoader)",
        "getattr(self, name)(x)",
        "cursor.execute('SELECT a FROM t WHERE b = ?', (x,))",
        "executor.execute(f'{x}')",
        "logger.info(f'loading {x}')",
        "\"\"\"os.system('in a docstring')\"\"\"\n# os.system('x')",
        "os.path.join(a, b)\nos.environ['A']",
        "from .configuration import Config\nfrom . import modeling",
        "AutoModel.from_pretrained(x, trust_remote_code=False)",
        "x: int = 3\ny = [i for i in range(3)]\n",
        "m = [{\"role\": \"system\", \"content\": \"You are\"}, {\"role\": \"user\", \"content\": x}]",
        "from langchain import PromptTemplate\nPromptTemplate(template='{question}')",
        "def load(f):\n  return f.load()\n",
        "importlib.import_module('json')",
        "exec = 3\nprint(exec)",
        ""}) {
    const auto found = inspect(code);
    EXPECT_THAT(found, IsEmpty()) << code << "\n" << (found.empty() ? "" : found[0].message);
  }
}

Severity worst(std::string_view code) {
  Severity severity = Severity::kInfo;
  for (const auto& finding : inspect(code)) severity = std::max(severity, finding.severity);
  return severity;
}

TEST(Python, WeighsWhatAnImportAloneRuns) {
  EXPECT_EQ(worst("os.system('id')"), Severity::kCritical);
  EXPECT_EQ(worst("class A:\n  x = os.system('id')"), Severity::kCritical);
  EXPECT_EQ(worst("def f():\n  os.system('id')"), Severity::kHigh);
  EXPECT_EQ(worst("def f(): os.system('id')"), Severity::kHigh);
  EXPECT_EQ(worst("async def f():\n  x = 1\n\n  subprocess.run(['id'])"), Severity::kMedium);
  EXPECT_EQ(worst("if __name__ == '__main__':\n  os.system('id')"), Severity::kHigh);
  EXPECT_EQ(worst("def f():\n  pass\nos.system('id')"), Severity::kCritical);
  EXPECT_EQ(worst("def f():\n  requests.get(u)"), Severity::kLow);
  EXPECT_EQ(worst("requests.get(u)"), Severity::kHigh);
}

TEST(Python, SaysWhereAndWhat) {
  const auto found = inspect("import os\n\nos.system('rm -rf /')\n");
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].offset, 11U);
  EXPECT_EQ(found[0].message,
            "line 3: os.system has a shell run a command (\"rm -rf /\"), as soon as the file is imported");
}

TEST(Python, TellsSourceThatPythonRefuses) {
  expect_found(
      {{"x = 'never closed\n", "python.unreadable"}, {std::string_view("x = 1\0", 6), "python.unreadable"}});
}

TEST(PythonTokens, FollowTheLanguagesLexicalRules) {
  const auto read = tokenize_python("a = rb'\\x41' 'b\\x62' # c\nif (b and\n  c):\n  d\\\n.e\n");
  std::string line;
  for (const auto& token : read.tokens) {
    line += token.kind == PythonTokenKind::kNewLine ? "|" : python_string_value(token, 100) + " ";
  }
  EXPECT_EQ(line, "a = \\x41 bb |if ( b and c ) : |d . e |");
  EXPECT_EQ(read.tokens.back().line, 5U);
}

TEST(PythonTokens, AreBounded) {
  const auto read = tokenize_python(std::string(kMaxPythonTokens + 10, '('));
  EXPECT_FALSE(read.whole);
  EXPECT_LE(read.tokens.size(), kMaxPythonTokens + 1);
  Findings findings;
  EXPECT_THAT(inspect_python(std::string(kMaxPythonTokens + 10, '('), {.path = "a", .part = {}}, findings),
              SizeIs(1));
}

// Nesting as deep as the text is long takes time in proportion to its length.
TEST(Python, IsReadInOnePass) {
  std::string deep;
  for (int i = 0; i < 50'000; ++i) deep += "exec(";
  deep += "x" + std::string(50'000, ')');
  Findings findings;
  EXPECT_THAT(inspect_python(deep, {.path = "a", .part = {}}, findings), IsEmpty());
  EXPECT_THAT(findings.items(), SizeIs(Findings::kMax));
}

}  // namespace
}  // namespace holdfast::inspect
