#include "inspect/artefact.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "formats/decompressor.h"
#include "formats/seven_zip.h"
#include "formats/sniff.h"
#include "formats/tar.h"
#include "formats/zip.h"
#include "inspect/file_rules.h"
#include "inspect/metadata_secrets.h"
#include "inspect/model_files.h"
#include "inspect/pickle.h"
#include "inspect/second_format.h"
#include "inspect/tensor_files.h"
#include "inspect/text_files.h"
#include "inspect/torch_archive.h"
#include "inspect/torch_export.h"
#include "inspect/torch_script.h"
#include "inspect/unpacking.h"
#include "inspect/utf16_text.h"
#include "inspect/weight_places.h"

namespace holdfast::inspect {
namespace {

using formats::Format;

constexpr std::size_t kMaxGaps = 1000;
// A stored member up to this size is read once, and its checksum with it.
constexpr std::uint64_t kReadWholeBytes = 16ULL << 20;
// Code and descriptions of a program in an archive, each.
constexpr std::size_t kMaxWholeMember = 32UL << 20;

class Inspector {
 public:
  Inspector(std::uint64_t file_size, const ArtefactOptions& options, Findings& findings, Coverage& coverage)
      : findings_(findings),
        coverage_(coverage),
        budget_(file_size),
        max_programs_(options.max_programs),
        weights_(options.weights, findings) {}

  // What is at hand, where it lies, and how deep in archives.
  struct Place {
    std::string path;
    int depth = 0;
    PickleContainer container = PickleContainer::kPlain;

    [[nodiscard]] Place member(std::string_view name) const {
      return {.path = fmt::format("{}!{}", path, name), .depth = depth + 1};
    }
  };

  void look_at(const formats::Source& source, const Place& place) {
    const auto formats = formats::sniff(source);
    if (!formats) return gap(place, formats.error().message);
    for (const Format format : *formats) {
      if (place.depth == 0) name_format(format);
      look_at_as(format, source, place);
      find_metadata_secrets(format, source, place.path, findings_);
      for (const std::string& why : inspect_weights(format, source, place.path, weights_)) gap(place, why);
      if (place.depth == 0) gaps(place, find_references(format, source, place.path, references_, findings_));
    }
  }

  // After the last.
  void finish(const std::string& path) { weights_.finish(path); }
  std::vector<Reference> take_references() { return references_.take(); }

 private:
  void look_at_as(Format format, const formats::Source& source, const Place& place) {
    switch (format) {
      case Format::kZip:
        return zip(source, place);
      case Format::kTar:
        return tar(source, place);
      case Format::kSevenZip:
        return seven_zip(source, place);
      case Format::kNpy:
        return npy(source, place);
      case Format::kSafetensors:
        return inspect_safetensors(source, place.path, findings_);
      case Format::kUnknown:
        return unknown(source, place);
      default:
        if (const auto gaps = inspect_model_file(format, source, place.path, findings_)) {
          for (const std::string& why : *gaps) gap(place, why);
          return;
        }
        for (const std::string& why : inspect_model_text(format, source, place.path, findings_)) {
          gap(place, why);
        }
        formats::SourceStream stream(source);
        return look_at_as(format, stream, reopen_source(source), place);
    }
  }

  void unknown(const formats::Source& source, const Place& place) {
    std::array<std::uint8_t, 4096> head{};
    const auto got = source.read_at(0, head);
    const Utf16 order = got ? utf16_of(base::ByteView(head).first(*got)) : Utf16::kNone;
    if (order != Utf16::kNone) {
      if (place.depth == 0) coverage_.format = "text (UTF-16)";
      formats::SourceStream stream(source);
      Utf16Stream as_utf8(stream, order);
      return text(Format::kText, as_utf8, place);
    }
    if (source.size() > 0) gap(place, "its format is not known");
  }

  void look_at_as(Format format, formats::Stream& stream, const Reopen& reopen, const Place& place) {
    if (formats::is_compressed(format)) return expand(format, stream, reopen, place);
    switch (format) {
      case Format::kPickle:
        return pickle(stream, place);
      case Format::kTar:
        return tar(stream, reopen, place);
      case Format::kZfile:
        return zfile(stream, reopen, place);
      case Format::kElf:
      case Format::kPe:
      case Format::kMachO:
        return findings_.add("file.executable", place.path, 0,
                             fmt::format("it is a program ({})", to_string(format)));
      case Format::kPyc:
        findings_.add("file.python-bytecode", place.path, 0,
                      "it is compiled Python, which is not looked into");
        return gap(place, "compiled Python can't be inspected");
      case Format::kCheckpointIndex:  // find_references
      case Format::kSavedModelFingerprint:
      case Format::kPdf:
      case Format::kPng:
      case Format::kJpeg:
        return;  // no model loader acts on these
      case Format::kJson:
      case Format::kPython:
      case Format::kText:
        return text(format, stream, place);
      default:
        findings_.add("file.not-understood", place.path, 0,
                      fmt::format("it is {}, which this version can't inspect", to_string(format)));
        gap(place, fmt::format("{} can't be inspected", to_string(format)));
    }
  }

  static bool can_stream(Format format) {
    return format == Format::kPickle || format == Format::kTar || format == Format::kZfile ||
           formats::is_compressed(format);
  }

  static Reopen reopen_source(const formats::Source& source) {
    return [&source]() -> base::Result<std::unique_ptr<formats::Stream>> {
      return std::make_unique<formats::SourceStream>(source);
    };
  }

  // Whether a member of an archive may be looked at: how deep it lies, and how many there were.
  bool may_enter(const Place& place) {
    if (budget_.spent()) return false;
    if (place.depth > kMaxNesting) {
      findings_.add("file.nested-too-deep", place.path, std::nullopt,
                    fmt::format("it lies more than {} archives deep", kMaxNesting));
      gap(place, "it is nested too deep");
      return false;
    }
    return counted(budget_.add_member(), place);
  }

  bool counted(const base::Result<>& within_budget, const Place& place) {
    if (!within_budget) failed(place, within_budget.error());
    return within_budget.has_value();
  }

  // A member of an archive that lies in it as it is.
  void look_into(const formats::Source& source, const Place& place) {
    if (may_enter(place) && counted(budget_.add_bytes(source.size()), place)) look_at(source, place);
  }

  // A member of an archive that comes as a stream, which `reopen` gives anew.
  void look_into(formats::Stream& packed, const Reopen& reopen, const Place& place) {
    if (!may_enter(place)) return;
    MeteredStream stream(packed, budget_);
    base::Bytes head;
    const auto read = read_up_to(stream, formats::kSniffBytes, head);
    const auto formats = formats::sniff_head(head);
    if (read && formats.size() == 1 && can_stream(formats[0])) {
      ResumedStream resumed(head, stream);
      SecondFormatStream watched(resumed);
      look_at_as(formats[0], watched, reopen, place);
      watched.drain();
      stream.drain();
      const bool compressed = formats::is_compressed(formats[0]);
      if (watched.seen() && !compressed && !stream.fault()) look_again(formats[0], reopen, place);
    } else {
      look_at(*UnpackedSource::read(head, stream, reopen, budget_), place);
    }
    if (stream.fault()) failed(place, *stream.fault());
  }

  // As what it does not begin with.
  void look_again(Format seen, const Reopen& reopen, const Place& place) {
    auto packed = reopen();
    if (!packed) return failed(place, packed.error());
    MeteredStream stream(**packed, budget_);
    base::Bytes head;
    if (const auto read = read_up_to(stream, formats::kSniffBytes, head); !read)
      return failed(place, read.error());
    const auto source = UnpackedSource::read(head, stream, reopen, budget_);
    const auto formats = formats::sniff(*source);
    if (!formats) return gap(place, formats.error().message);
    for (const Format format : *formats) {
      if (format != seen) look_at_as(format, *source, place);
    }
    if (stream.fault()) failed(place, *stream.fault());
  }

  void pickle(formats::Stream& stream, const Place& place) {
    const bool explain = coverage_.programs.size() < max_programs_;
    SecretSeekingStream seeking(stream);
    auto summary = inspect_pickle(
        seeking, place.path,
        {.container = place.container, .max_program_bytes = explain ? kMaxProgramBytes : 0}, findings_);
    seeking.report(place.path, findings_);
    if (!summary) return failed(place, summary.error());
    if (explain) coverage_.programs.push_back({place.path, std::move(summary->program)});
  }

  void text(Format format, formats::Stream& stream, const Place& place) {
    for (const std::string& why : inspect_text_file(format, stream, place.path, findings_)) gap(place, why);
  }

  void npy(const formats::Source& source, const Place& place) {
    if (const auto offset = inspect_npy(source, place.path, findings_)) {
      formats::SourceStream stream(source, *offset);
      pickle(stream, place.member("objects"));
    }
  }

  void expand(Format format, formats::Stream& stream, const Reopen& reopen, const Place& place) {
    const formats::DecompressLimits limits{.memory = &budget_.decoders()};
    auto expanded = formats::open_decompressor(format, stream, limits);
    if (!expanded) return failed(place, expanded.error());
    auto inner = place.member("inflated");
    inner.container = PickleContainer::kJoblib;
    const auto again = [format,
                        limits](formats::Stream& below) -> base::Result<std::unique_ptr<formats::Stream>> {
      return formats::open_decompressor(format, below, limits);
    };
    look_into(**expanded, reopen_through(reopen, again), inner);
    report((*expanded)->anomalies(), place);
  }

  // "ZF" and a length in 19 characters, then zlib data (joblib/numpy_pickle_compat.py, read_zfile), before
  // which Python 2 wrote one space more.
  void zfile(formats::Stream& stream, const Reopen& reopen, const Place& place) {
    constexpr std::size_t kHeader = 21;
    base::Bytes head;
    if (const auto read = read_up_to(stream, kHeader + 1, head); !read) return failed(place, read.error());
    const std::size_t header = head.size() > kHeader && head[kHeader] == ' ' ? kHeader + 1 : kHeader;
    if (head.size() < header) return failed(place, {base::ErrorCode::kDataCorrupt, "the file is truncated"});
    ResumedStream data(base::ByteView(head).subspan(header), stream);
    expand(Format::kZlib, data, reopen_within(reopen, header, ~0ULL, budget_), place);
  }

  // Calls `look` for each file in the archive.
  template <typename Look>
  void tar_files(formats::TarReader& reader, const Place& place, Look look) {
    while (!budget_.spent()) {
      const auto entry = reader.next();
      if (!entry) {
        failed(place, entry.error());
        break;
      }
      if (!*entry) break;
      if ((*entry)->type == formats::TarType::kFile) look(**entry, place.member((*entry)->name));
    }
    report(reader.anomalies(), place);
  }

  void tar(const formats::Source& source, const Place& place) {
    formats::SourceStream stream(source);
    formats::TarReader reader(stream);
    tar_files(reader, place, [&](const formats::TarEntry& entry, const Place& inner) {
      const auto range = formats::RangeSource::create(source, entry.data_offset, entry.size);
      range ? look_into(*range, inner) : look_into(reader, reopen_source(source), inner);  // truncated
    });
  }

  void tar(formats::Stream& stream, const Reopen& reopen, const Place& place) {
    formats::TarReader reader(stream);
    tar_files(reader, place, [&](const formats::TarEntry& entry, const Place& inner) {
      look_into(reader, reopen_within(reopen, entry.data_offset, entry.size, budget_), inner);
    });
  }

  void seven_zip(const formats::Source& source, const Place& place) {
    const formats::DecompressLimits limits{.memory = &budget_.decoders()};
    auto reader = formats::SevenZipReader::open(source, limits);
    if (!reader) return failed(place, reader.error());
    std::uint64_t before = 0;  // bytes of the entries before
    for (std::size_t index = 0; !budget_.spent(); ++index) {
      const auto entry = reader->next();
      if (!entry) break;
      if (entry->folder || entry->size == 0) continue;
      const auto again = [this, &source, limits, index,
                          before]() -> base::Result<std::unique_ptr<formats::Stream>> {
        HF_CHECK(budget_.add_replayed(before));
        HF_TRY(auto other, formats::SevenZipReader::open(source, limits));
        for (std::size_t i = 0; i <= index; ++i) other.next();
        return std::make_unique<formats::SevenZipReader>(std::move(other));
      };
      look_into(*reader, again, place.member(entry->name));
      before += entry->size;
    }
    report(reader->anomalies(), place);
  }

  void zip(const formats::Source& source, const Place& place) {
    const auto reader = formats::ZipReader::open(source);
    if (!reader) {
      findings_.add("archive.unreadable", place.path, std::nullopt, reader.error().message);
      return gap(place, reader.error().message);
    }
    report(reader->anomalies(), place);
    const auto torch = TorchArchive::recognise(*reader);
    if (torch && place.depth == 0) coverage_.format = torch->format();
    TorchScript script;
    const RawTensors raw = torch ? raw_tensors(*reader, *torch, place) : RawTensors();
    for (const auto& entry : reader->entries()) {
      if (entry.is_folder()) continue;
      const bool exported = torch && torch->is_exported_tensor(entry.name) && raw.contains(entry.name);
      if (exported || (torch && torch->is_storage(entry.name))) {
        storage(*reader, entry, place.member(entry.name));
        continue;
      }
      auto inner = place.member(entry.name);
      if (torch) inner.container = PickleContainer::kTorchZip;
      if (torch && torch->is_code(entry.name)) {
        script_code(*reader, entry, script, inner);
        continue;
      }
      if (torch && torch->is_bytecode(entry.name)) script_bytecode(*reader, entry, inner);
      if (torch && torch->is_exported_program(entry.name)) exported_program(*reader, entry, inner);
      zip_member(*reader, entry, inner);
    }
    gaps(place, script.finish(findings_));
  }

  // A member that is read whole; empty, and a gap, where it can't be.
  std::string zip_text(const formats::ZipReader& reader, const formats::ZipEntry& entry, const Place& place) {
    if (!may_enter(place)) return {};
    if (entry.size > kMaxWholeMember) {
      gap(place, fmt::format("it is larger than the {} MiB that are read", kMaxWholeMember >> 20));
      return {};
    }
    auto member = reader.open_member(entry);
    if (!member) {
      gap(place, member.error().message);
      return {};
    }
    MeteredStream stream(*member, budget_);
    base::Bytes bytes;
    if (const auto read = read_up_to(stream, kMaxWholeMember + 1, bytes); !read) failed(place, read.error());
    report(member->anomalies(), place);
    return std::string(base::as_text(bytes));
  }

  void script_code(const formats::ZipReader& reader, const formats::ZipEntry& entry, TorchScript& script,
                   const Place& place) {
    gaps(place, script.add(zip_text(reader, entry, place), place.path, findings_));
  }

  void script_bytecode(const formats::ZipReader& reader, const formats::ZipEntry& entry, const Place& place) {
    TorchScript::add_bytecode(zip_text(reader, entry, place), place.path, findings_);
  }

  RawTensors raw_tensors(const formats::ZipReader& reader, const TorchArchive& torch, const Place& place) {
    RawTensors raw;
    for (const auto& entry : reader.entries()) {
      if (torch.is_tensor_list(entry.name)) raw.add(zip_text(reader, entry, place.member(entry.name)));
    }
    return raw;
  }

  void exported_program(const formats::ZipReader& reader, const formats::ZipEntry& entry,
                        const Place& place) {
    const std::string json = zip_text(reader, entry, place);
    if (!json.empty()) gaps(place, inspect_exported_program(json, place.path, findings_));
  }

  void gaps(const Place& place, const Gaps& whys) {
    for (const std::string& why : whys) gap(place, why);
  }

  // The numbers of a tensor, whose type only the pickle names.
  void storage(const formats::ZipReader& reader, const formats::ZipEntry& entry, const Place& place) {
    const WeightTensor tensor{.name = {}, .path = place.path};
    base::Result<> looked;
    if (const auto range = reader.stored_range(entry)) {
      looked = weights_.look_at(*range, range->size(), tensor);
    } else {
      auto member = reader.open_member(entry);
      if (!member) return gap(place, member.error().message);
      MeteredStream stream(*member, budget_);
      looked = weights_.look_at(stream, tensor);
    }
    if (!looked) failed(place, looked.error());
  }

  void zip_member(const formats::ZipReader& reader, const formats::ZipEntry& entry, const Place& place) {
    auto member = reader.open_member(entry);
    if (!member) {
      // The directory's anomalies have said what is wrong; what matters here is that nothing was seen.
      return gap(place, member.error().message);
    }
    const auto range = reader.stored_range(entry);
    if (range && entry.size > kReadWholeBytes) {
      look_into(*range, place);
      MeteredStream(*member, budget_).drain();  // for its checksum
    } else {
      const auto again = [&reader, &entry]() -> base::Result<std::unique_ptr<formats::Stream>> {
        HF_TRY(auto opened, reader.open_member(entry));
        return std::make_unique<formats::ZipMember>(std::move(opened));
      };
      look_into(*member, again, place);
    }
    report(member->anomalies(), place);
  }

  void report(const formats::Anomalies& anomalies, const Place& place) {
    for (const auto& anomaly : anomalies.items()) {
      findings_.add(inspect::rule_of(anomaly.kind), place.path, anomaly.offset, anomaly.text);
    }
  }

  static std::string_view rule_of(base::ErrorCode code) {
    switch (code) {
      case base::ErrorCode::kLimitExceeded:
        return "archive.bomb";
      case base::ErrorCode::kUnsupported:
        return "archive.unsupported-member";
      case base::ErrorCode::kPermissionDenied:
        return "archive.encrypted";
      default:
        return "archive.damaged";
    }
  }

  // What could not be read to its end. One fault may be met on several ways, and is told once.
  void failed(const Place& place, const base::Error& error) {
    const std::string_view rule = rule_of(error.code);
    const auto& items = findings_.items();
    if (!items.empty() && items.back().rule_id == rule && items.back().path == place.path &&
        items.back().message == error.message) {
      return;
    }
    findings_.add(rule, place.path, std::nullopt, error.message);
    gap(place, error.message);
  }

  void gap(const Place& place, std::string_view why) {
    if (coverage_.not_looked_at.size() < kMaxGaps) {
      coverage_.not_looked_at.push_back(fmt::format("{}: {}", place.path, why));
    }
  }

  void name_format(Format format) {
    coverage_.format.append(coverage_.format.empty() ? "" : " and ").append(to_string(format));
  }

  Findings& findings_;
  Coverage& coverage_;
  UnpackBudget budget_;
  std::size_t max_programs_;
  WeightInspector weights_;
  References references_;
};

}  // namespace

Coverage inspect_artefact(const formats::Source& file, const std::string& path, Findings& findings,
                          const ArtefactOptions& options) {
  Coverage coverage;
  Inspector inspector(file.size(), options, findings, coverage);
  inspector.look_at(file, {.path = path});
  inspector.finish(path);
  coverage.references = inspector.take_references();
  if (file.size() == 0) coverage.format = "empty";
  return coverage;
}

}  // namespace holdfast::inspect
