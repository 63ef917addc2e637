#include "inspect/python_source.h"

namespace holdfast::inspect {
namespace {

constexpr Rule kRules[] = {
    {.id = "python.decoded-code",
     .severity = Severity::kCritical,
     .title = "Code that is decoded or fetched, then run",
     .explanation =
         "The source holds a program that nobody can read in it, or fetches one, and runs it. Models have no "
         "use for that; malware does.",
     .remedy =
         "Don't run or load it. Decode the text without running it and report it to where it came from.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
    {.id = "python.dynamic-import",
     .severity = Severity::kMedium,
     .title = "Import of a module by a computed name",
     .explanation =
         "Which module is imported, and so which code runs, depends on a value that is not in the source.",
     .remedy = "Import modules by name; choose among known ones with a table.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
    {.id = "python.executes-text",
     .severity = Severity::kHigh,
     .title = "Text that is run as code",
     .explanation =
         "exec, eval and their like run whatever text reaches them, with all rights of the program.",
     .remedy = "Replace it by a function, by ast.literal_eval or by a table of what may be chosen.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
    {.id = "python.hidden-code",
     .severity = Severity::kHigh,
     .title = "Code written so that a reader misses it",
     .explanation = "Look-alike letters, marks of writing direction, far indents, codecs, and names in "
                    "strings hide what a "
                    "program does from people and simple scanners.",
     .remedy = "Ask the author for the plain form, or refuse the code.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
    {.id = "python.native-code",
     .severity = Severity::kMedium,
     .title = "Code of a native library",
     .explanation =
         "A native library does what it likes to the process that loads it, and inspection can't see inside.",
     .remedy = "Build the library from reviewed sources and sign it, or do without.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
    {.id = "python.network",
     .severity = Severity::kLow,
     .title = "Use of the network",
     .explanation = "Code beside a model can send data out or fetch what then runs. At the time of import "
                    "nobody has asked "
                    "for either.",
     .remedy = "Load models without a network; fetch what they need before, by digest.",
     .practice = "P24",
     .risk = "R02",
     .atlas = "AML.T0011.000"},
    {.id = "python.process",
     .severity = Severity::kHigh,
     .title = "Another program is started",
     .explanation = "The code runs a program or a shell with the rights of whoever loads the model. A "
                    "command that is put "
                    "together from values runs what those values say.",
     .remedy = "Remove it; where it must stay, give a list of arguments without a shell, and fixed ones.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
    {.id = "python.prompt-injection",
     .severity = Severity::kMedium,
     .title = "Prompt that is built from input",
     .explanation =
         "Values that are put into the fixed part of a prompt are read by the model as instructions, whoever "
         "wrote them.",
     .remedy = "Pass input as a message or a variable of its own, never by formatting the template.",
     .practice = "P11",
     .risk = "R12",
     .atlas = "AML.T0051"},
    {.id = "python.remote-code",
     .severity = Severity::kMedium,
     .title = "Code from a model hub",
     .explanation = "The program asks a library to fetch a model's code and run it; what that code is can "
                    "change with every "
                    "load.",
     .remedy = "Load without trust_remote_code, or pin a reviewed revision by its commit.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
    {.id = "python.sql-injection",
     .severity = Severity::kMedium,
     .title = "SQL with values put in as text",
     .explanation = "A value with a quotation mark in it becomes part of the statement.",
     .remedy = "Use the placeholders of the database's driver.",
     .practice = "P11",
     .risk = "R12",
     .atlas = ""},
    {.id = "python.starts-by-itself",
     .severity = Severity::kHigh,
     .title = "Code that Python runs whenever it starts",
     .explanation =
         "A line of a .pth file that begins with import, and the modules sitecustomize and usercustomize, "
         "are run at the start of every Python that finds them on its path, whoever asked for it.",
     .remedy = "Remove the file: no model is loaded by it. In a package's own folder, look at what it runs.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
    {.id = "python.template-injection",
     .severity = Severity::kMedium,
     .title = "Template that comes from outside",
     .explanation = "Templates are programs: who writes the template runs code where it is rendered.",
     .remedy = "Keep templates in the source and pass values to them, or render in Jinja's "
               "ImmutableSandboxedEnvironment.",
     .practice = "P11",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
    {.id = "python.unreadable",
     .severity = Severity::kLow,
     .title = "Python source that Python would refuse",
     .explanation =
         "It breaks the language's rules, so that it does not run as it is and was read as far as it goes.",
     .remedy = "Correct or remove the file.",
     .practice = "P24",
     .risk = "R14",
     .atlas = ""},
    {.id = "python.unsafe-load",
     .severity = Severity::kMedium,
     .title = "Loading of data that can run code",
     .explanation = "Pickles and their like run what the data asks for while they load.",
     .remedy = "Save as safetensors, or load with weights_only=True, allow_pickle=False, yaml.safe_load.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
};

}  // namespace

std::span<const Rule> python_rules() { return kRules; }

}  // namespace holdfast::inspect
