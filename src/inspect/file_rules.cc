#include "inspect/file_rules.h"

#include "base/assert.h"

namespace holdfast::inspect {
namespace {

using formats::AnomalyKind;

constexpr Rule kRules[] = {
    {.id = "archive.bomb",
     .severity = Severity::kHigh,
     .title = "Archive that expands out of proportion",
     .explanation =
         "A small archive that unpacks to an enormous one exhausts the memory or disk of whatever loads it.",
     .remedy = "Ask its maker for the file unpacked, and don't open it outside a limited process.",
     .practice = "P24",
     .risk = "R14",
     .atlas = "AML.T0029"},
    {.id = "archive.damaged",
     .severity = Severity::kHigh,
     .title = "Archive whose contents don't match its own record",
     .explanation =
         "A checksum or a range is wrong. Scanners stop here while some loaders go on, which is a known way "
         "to hide what follows.",
     .remedy = "Fetch the file again from its source and compare its digest; refuse it if it stays so.",
     .practice = "P05",
     .risk = "R04",
     .atlas = "AML.T0010.003"},
    {.id = "archive.encrypted",
     .severity = Severity::kHigh,
     .title = "Encrypted member",
     .explanation = "What can't be read can't be cleared, and models are not shipped inside "
                    "password-protected archives.",
     .remedy = "Decrypt the archive and inspect what it holds.",
     .practice = "P24",
     .risk = "R14",
     .atlas = "AML.T0011.000"},
    {.id = "archive.escape",
     .severity = Severity::kHigh,
     .title = "Member that leaves the folder it is unpacked to",
     .explanation =
         "An absolute path, a \"..\" or a link lets unpacking overwrite files elsewhere, such as start-up "
         "scripts.",
     .remedy = "Refuse the file. No training library writes such members.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
    {.id = "archive.hidden-data",
     .severity = Severity::kMedium,
     .title = "Bytes that the archive's directory does not list",
     .explanation =
         "Data before, between or after the listed members is read by some programs and invisible to "
         "others; a second format can hide there.",
     .remedy = "Have the archive written anew by the library that made it, and compare.",
     .practice = "P24",
     .risk = "R14",
     .atlas = "AML.T0011.000"},
    {.id = "archive.readers-disagree",
     .severity = Severity::kHigh,
     .title = "Archive that readers understand differently",
     .explanation =
         "Its local headers and its directory contradict each other, so a scanner can be shown other "
         "contents than the loader will see.",
     .remedy = "Refuse the file, or have it written anew by the library that made it.",
     .practice = "P24",
     .risk = "R14",
     .atlas = "AML.T0011.000"},
    {.id = "archive.unreadable",
     .severity = Severity::kMedium,
     .title = "Archive that can't be read",
     .explanation =
         "It begins like an archive but can't be followed to its end, so its contents were not seen.",
     .remedy = "Fetch the file again; if it stays so, refuse it.",
     .practice = "P24",
     .risk = "R14",
     .atlas = ""},
    {.id = "archive.unsupported-member",
     .severity = Severity::kMedium,
     .title = "Member that this program can't unpack",
     .explanation = "Its compression method or kind is not supported, so its contents were not seen.",
     .remedy = "Unpack it with another tool and inspect the result.",
     .practice = "P24",
     .risk = "R14",
     .atlas = ""},
    {.id = "file.executable",
     .severity = Severity::kHigh,
     .title = "Program among model files",
     .explanation = "An executable or shared library runs with its user's rights once anything loads it, for "
                    "instance as "
                    "a custom operator.",
     .remedy = "Remove it; if the model needs it, have it built from reviewed sources.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
    {.id = "file.link",
     .severity = Severity::kMedium,
     .title = "Symbolic link",
     .explanation =
         "A link in a model folder leads to whatever lies at its target on the machine that loads it. It was "
         "not followed.",
     .remedy = "Replace the link with the file itself.",
     .practice = "P24",
     .risk = "R14",
     .atlas = ""},
    {.id = "file.nested-too-deep",
     .severity = Severity::kHigh,
     .title = "Archives nested beyond the limit",
     .explanation = "Archives within archives are followed to a fixed depth; beyond it nothing was seen.",
     .remedy = "Unpack the outer archives and inspect what they hold.",
     .practice = "P24",
     .risk = "R14",
     .atlas = "AML.T0011.000"},
    {.id = "file.not-understood",
     .severity = Severity::kMedium,
     .title = "Format that this program recognises but can't inspect",
     .explanation = "What could be hidden in this format was not looked for.",
     .remedy =
         "Convert the model to safetensors or ONNX, or have it inspected by a tool that reads this format.",
     .practice = "P24",
     .risk = "R14",
     .atlas = ""},
    {.id = "file.python-bytecode",
     .severity = Severity::kMedium,
     .title = "Compiled Python among model files",
     .explanation = "A .pyc file runs like the source it was made from as soon as something imports it, and "
                    "need not be what a source beside it says. It was not looked into.",
     .remedy = "Remove it, and the folder __pycache__; ask for the source.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
    {.id = "file.python-source",
     .severity = Severity::kInfo,
     .title = "Python source among model files",
     .explanation = "Code beside a model runs when the model is loaded with trust in remote code, with all "
                    "rights of whoever loads "
                    "it. It was read for what is known to be dangerous, which does not make it harmless.",
     .remedy = "Read the code before you load the model, or load it with trust_remote_code off.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
    {.id = "file.worker-died",
     .severity = Severity::kHigh,
     .title = "File that ended the process which inspected it",
     .explanation =
         "The jailed worker crashed, ran out of memory or took too long on this file. Honest files don't do "
         "that; the file may attack parsers, and it could not be cleared.",
     .remedy = "Don't load the file; send it to the makers of Holdfast.",
     .practice = "P24",
     .risk = "R14",
     .atlas = "AML.T0029"},
    {.id = "npy.malformed",
     .severity = Severity::kMedium,
     .title = "NumPy file that breaks its format",
     .explanation = "The header is not what NumPy writes, so what a loader would make of it is not known.",
     .remedy = "Have the array saved anew with numpy.save.",
     .practice = "P24",
     .risk = "R14",
     .atlas = ""},
    {.id = "onnx.custom-operator",
     .severity = Severity::kMedium,
     .title = "Operator from outside the ONNX standard",
     .explanation =
         "A custom operator needs a library of native code to run, which inspection of the model can't see.",
     .remedy = "Export the model with standard operators, or review and sign that library.",
     .practice = "P24",
     .risk = "R12",
     .atlas = "AML.T0011.000"},
    {.id = "onnx.external-data-escape",
     .severity = Severity::kHigh,
     .title = "External weights outside the model's folder",
     .explanation = "The model asks its runtime to read a file by an absolute path, by \"..\", or with "
                    "impossible bounds: "
                    "a way to read files of the machine that serves it.",
     .remedy = "Refuse the file. Weights lie beside their model.",
     .practice = "P24",
     .risk = "R02",
     .atlas = "AML.T0011.000"},
    {.id = "onnx.malformed",
     .severity = Severity::kMedium,
     .title = "ONNX file that breaks its format",
     .explanation = "It can't be read as the ONNX message that it begins like.",
     .remedy = "Export the model again, and check it with onnx.checker.",
     .practice = "P24",
     .risk = "R14",
     .atlas = ""},
    {.id = "rules.overdue",
     .severity = Severity::kHigh,
     .title = "Judged by rules that are too old",
     .explanation =
         "The rule set expired, or was issued longer ago than allowed: what became known since then was not "
         "looked for.",
     .remedy = "Install a newer rule set with `holdfast rules update`, or update the program.",
     .practice = "P22",
     .risk = "R12",
     .atlas = ""},
    {.id = "safetensors.malformed",
     .severity = Severity::kMedium,
     .title = "safetensors file that breaks its format",
     .explanation = "The header contradicts itself or the data: overlaps, holes or sizes that readers treat "
                    "differently, "
                    "where data can hide.",
     .remedy = "Have the tensors saved anew with the safetensors library.",
     .practice = "P24",
     .risk = "R14",
     .atlas = ""},
};

}  // namespace

std::span<const Rule> file_rules() { return kRules; }

std::string_view rule_of(AnomalyKind kind) {
  switch (kind) {
    case AnomalyKind::kPrefixData:
    case AnomalyKind::kTrailingData:
    case AnomalyKind::kGap:
      return "archive.hidden-data";
    case AnomalyKind::kOutOfRange:
    case AnomalyKind::kBadChecksum:
      return "archive.damaged";
    case AnomalyKind::kEncrypted:
      return "archive.encrypted";
    case AnomalyKind::kUnsupported:
      return "archive.unsupported-member";
    case AnomalyKind::kPathTraversal:
    case AnomalyKind::kAbsolutePath:
    case AnomalyKind::kSymbolicLink:
    case AnomalyKind::kHardLink:
    case AnomalyKind::kSpecialFile:
      return "archive.escape";
    case AnomalyKind::kHighRatio:
      return "archive.bomb";
    case AnomalyKind::kAmbiguousEnd:
    case AnomalyKind::kAmbiguousDirectory:
    case AnomalyKind::kEntryCountDiffers:
    case AnomalyKind::kMultiDisk:
    case AnomalyKind::kZip64Inconsistent:
    case AnomalyKind::kBadExtraField:
    case AnomalyKind::kNoLocalHeader:
    case AnomalyKind::kNameDiffers:
    case AnomalyKind::kMethodDiffers:
    case AnomalyKind::kFlagsDiffer:
    case AnomalyKind::kSizeDiffers:
    case AnomalyKind::kCrcDiffers:
    case AnomalyKind::kDescriptorDiffers:
    case AnomalyKind::kUnknownFlags:
    case AnomalyKind::kVersionTooNew:
    case AnomalyKind::kDuplicateName:
    case AnomalyKind::kCaseCollision:
    case AnomalyKind::kOverlap:
    case AnomalyKind::kHiddenEntry:
    case AnomalyKind::kBackslash:
    case AnomalyKind::kNulInName:
    case AnomalyKind::kBadName:
      return "archive.readers-disagree";
  }
  HF_ASSERT(false);
  return {};
}

}  // namespace holdfast::inspect
