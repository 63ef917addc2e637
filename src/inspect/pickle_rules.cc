#include "inspect/pickle.h"

namespace holdfast::inspect {
namespace {

constexpr Rule kRules[] = {
    {.id = "pickle.array-unreadable",
     .severity = Severity::kHigh,
     .title = "Array whose extent can't be told",
     .explanation =
         "joblib leaves an array's bytes in the middle of the pickle. Its type or shape is not what joblib "
         "writes, so where the instructions go on is not known and they were not seen.",
     .remedy = "Have the file written anew by a current joblib, or save the model in a format without code.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
    {.id = "pickle.changes-code",
     .severity = Severity::kHigh,
     .title = "Pickle that changes something that is not its own",
     .explanation =
         "It sets the state or the items of a module, class or function, and so replaces code of the "
         "process that loads it. No library writes such a pickle.",
     .remedy = "Refuse the file.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
    {.id = "pickle.dangerous-global",
     .severity = Severity::kCritical,
     .title = "Pickle that names a function for attacks",
     .explanation =
         "Loading the file imports and may call a function that no model needs and that attacks are known "
         "to use. The harm is done while the file loads, before anything can look at the result.",
     .remedy = "Don't load the file. Report it to where it came from, and ask for the weights as safetensors "
               "or ONNX.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
    {.id = "pickle.extension-code",
     .severity = Severity::kHigh,
     .title = "Global named by an extension code",
     .explanation =
         "The code stands for whatever the loading process registered under it with copyreg, which the file "
         "does not tell.",
     .remedy = "Have the file written anew without registered extensions.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
    {.id = "pickle.malformed",
     .severity = Severity::kMedium,
     .title = "Pickle that no loader can finish",
     .explanation =
         "An instruction fails in every unpickler. What stands before it runs all the same, and was "
         "inspected; what stands behind it does not run.",
     .remedy = "Fetch the file again and compare its digest; refuse it if it stays so.",
     .practice = "P24",
     .risk = "R14",
     .atlas = ""},
    {.id = "pickle.memo-bomb",
     .severity = Severity::kHigh,
     .title = "Pickle that exhausts memory",
     .explanation =
         "It writes a memo slot far beyond those in use, for which Python's unpickler allocates memory in "
         "proportion. No pickler does that.",
     .remedy = "Refuse the file.",
     .practice = "P24",
     .risk = "R14",
     .atlas = "AML.T0029"},
    {.id = "pickle.misused-global",
     .severity = Severity::kHigh,
     .title = "Known global used in another way than its library uses it",
     .explanation =
         "The global belongs to a known library, but it is called, or given arguments, as that library's "
         "own files never do. Constructors and rebuild functions can be turned against the process so.",
     .remedy = "Have the file written anew by the library that it claims to come from, and compare.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
    {.id = "pickle.nested-pickle",
     .severity = Severity::kHigh,
     .title = "Dangerous pickle inside a constant",
     .explanation =
         "A string or bytes constant is a pickle that names a function for attacks. It runs as soon as "
         "anything loads those bytes, now or when the model is used.",
     .remedy = "Don't load the file. Report it to where it came from.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
    {.id = "pickle.persistent-id",
     .severity = Severity::kMedium,
     .title = "Object that the loader has to supply",
     .explanation =
         "The pickle refers to an object outside itself in a way that PyTorch does not use. What the "
         "loader puts there is not known.",
     .remedy = "Ask its maker which program loads the file, or for a file that holds all of it.",
     .practice = "P24",
     .risk = "R14",
     .atlas = ""},
    {.id = "pickle.reads-two-ways",
     .severity = Severity::kHigh,
     .title = "Pickle that loaders read differently",
     .explanation =
         "The same bytes are different programs to different loaders (the C or the Python unpickler, "
         "joblib's or pickle's load), so that inspection can be shown another program than the one that "
         "runs. No library writes such a pickle.",
     .remedy = "Refuse the file, or have it written anew by the library that made it.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
    {.id = "pickle.several",
     .severity = Severity::kInfo,
     .title = "Several pickles in one file",
     .explanation = "Some programs write one pickle behind the other. All were inspected.",
     .remedy = "Nothing, if its maker says so.",
     .practice = "P24",
     .risk = "R14",
     .atlas = ""},
    {.id = "pickle.too-large",
     .severity = Severity::kHigh,
     .title = "Pickle beyond the bounds of inspection",
     .explanation =
         "It keeps more values in suspense, or names more things, than inspection follows, so a part of it "
         "was not seen. Models of known libraries stay far below.",
     .remedy = "Ask for the model in a format without code, such as safetensors or ONNX.",
     .practice = "P24",
     .risk = "R14",
     .atlas = "AML.T0029"},
    {.id = "pickle.trailing-data",
     .severity = Severity::kLow,
     .title = "Bytes behind the end of the pickle",
     .explanation = "Loaders don't read them, and they are no pickle; they may belong to another format.",
     .remedy = "Have the file written anew, and compare.",
     .practice = "P24",
     .risk = "R14",
     .atlas = ""},
    {.id = "pickle.truncated",
     .severity = Severity::kMedium,
     .title = "Pickle that is cut off",
     .explanation =
         "The file ends before the pickle does. What stands before the cut runs all the same when it is "
         "loaded, and was inspected.",
     .remedy = "Fetch the file again and compare its digest; refuse it if it stays so.",
     .practice = "P24",
     .risk = "R14",
     .atlas = ""},
    {.id = "pickle.unknown-global",
     .severity = Severity::kHigh,
     .title = "Global that is not on the allow list",
     .explanation =
         "Loading the file imports code by this name and may call it. Only constructors that are known to "
         "do nothing but hold data are allowed; whatever else stands for code that nobody has reviewed.",
     .remedy =
         "Ask for the model in a format without code, or review that code and add it to your allow list.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
    {.id = "pickle.unresolvable",
     .severity = Severity::kHigh,
     .title = "Name or call that only running the pickle would tell",
     .explanation =
         "What is imported or called is put together while the pickle runs. Honest pickles name what they "
         "use in plain text; this is a way to hide it.",
     .remedy = "Refuse the file, or have it written anew by the library that made it.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
};

}  // namespace

std::span<const Rule> pickle_rules() { return kRules; }

}  // namespace holdfast::inspect
