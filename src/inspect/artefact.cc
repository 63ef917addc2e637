#include "inspect/artefact.h"

#include <fmt/format.h>

#include <algorithm>

#include "formats/inflate.h"
#include "formats/sniff.h"
#include "formats/tar.h"
#include "formats/zip.h"
#include "inspect/file_rules.h"
#include "inspect/model_files.h"
#include "inspect/pickle.h"
#include "inspect/tensor_files.h"
#include "inspect/text_files.h"
#include "inspect/torch_archive.h"

namespace holdfast::inspect {
namespace {

using formats::Format;

constexpr std::size_t kMaxGaps = 1000;
// A compressed member up to this size is read whole, so that its checksum is checked and it can be read at
// random.
constexpr std::uint64_t kReadWholeBytes = 16ULL << 20;
constexpr std::size_t kReadStep = 256UL << 10;

// The beginning of a stream that was read to see what it is, then the rest of it.
class ResumedStream final : public formats::Stream {
 public:
  ResumedStream(base::ByteView head, formats::Stream& rest) : head_(head), rest_(&rest) {}
  base::Result<std::size_t> read(base::MutableByteView buffer) override {
    if (head_.empty()) return rest_->read(buffer);
    const std::size_t count = std::min(buffer.size(), head_.size());
    std::copy_n(head_.begin(), count, buffer.begin());
    head_ = head_.subspan(count);
    return count;
  }

 private:
  base::ByteView head_;
  formats::Stream* rest_;
};

// Appends to `bytes` until it has `size` of them or the stream ends.
base::Result<> read_up_to(formats::Stream& stream, std::size_t size, base::Bytes& bytes) {
  while (bytes.size() < size) {
    const std::size_t before = bytes.size();
    bytes.resize(std::min(size, before + kReadStep));
    const auto got = stream.read(base::MutableByteView(bytes).subspan(before));
    bytes.resize(before + got.value_or(0));
    if (!got) return base::fail(got.error());
    if (*got == 0) break;
  }
  return {};
}

class Inspector {
 public:
  Inspector(Findings& findings, Coverage& coverage) : findings_(findings), coverage_(coverage) {}

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
    }
  }

 private:
  void look_at_as(Format format, const formats::Source& source, const Place& place) {
    formats::SourceStream stream(source);
    switch (format) {
      case Format::kZip:
        return zip(source, place);
      case Format::kNpy:
        return npy(source, place);
      case Format::kSafetensors:
        return inspect_safetensors(source, place.path, findings_);
      case Format::kOnnx:
        return inspect_onnx(source, place.path, findings_);
      case Format::kUnknown:
        if (source.size() > 0) gap(place, "its format is not known");
        return;
      default:
        if (const auto gaps = inspect_model_file(format, source, place.path, findings_)) {
          for (const std::string& why : *gaps) gap(place, why);
          return;
        }
        return look_at_as(format, stream, place);
    }
  }

  void look_at_as(Format format, formats::Stream& stream, const Place& place) {
    switch (format) {
      case Format::kPickle:
        return pickle(stream, place);
      case Format::kTar:
        return tar(stream, place);
      case Format::kGzip:
        return inflate(stream, formats::DeflateFormat::kGzip, place);
      case Format::kZlib:
        return inflate(stream, formats::DeflateFormat::kZlib, place);
      case Format::kElf:
      case Format::kPe:
      case Format::kMachO:
        return findings_.add("file.executable", place.path, 0,
                             fmt::format("it is a program ({})", to_string(format)));
      case Format::kPython:
        findings_.add("file.python-source", place.path, 0, "it is Python source, which was not analysed");
        return text(format, stream, place);
      case Format::kPdf:
      case Format::kPng:
      case Format::kJpeg:
        return;  // no model loader acts on these
      case Format::kJson:
      case Format::kText:
        return text(format, stream, place);
      default:
        findings_.add("file.not-understood", place.path, 0,
                      fmt::format("it is {}, which this version can't inspect", to_string(format)));
        gap(place, fmt::format("{} can't be inspected", to_string(format)));
    }
  }

  static bool can_stream(Format format) {
    return format == Format::kPickle || format == Format::kTar || format == Format::kGzip ||
           format == Format::kZlib;
  }

  // Something inside an archive that comes as a stream.
  void look_at(formats::Stream& stream, const Place& place) {
    if (place.depth > kMaxNesting) {
      findings_.add("file.nested-too-deep", place.path, std::nullopt,
                    fmt::format("it lies more than {} archives deep", kMaxNesting));
      return gap(place, "it is nested too deep");
    }
    base::Bytes head;
    if (auto read = read_up_to(stream, formats::kSniffBytes, head); !read) damaged(place, read.error());
    const auto formats = formats::sniff_head(head);
    if (formats.size() == 1 && can_stream(formats[0])) {
      ResumedStream resumed(head, stream);
      return look_at_as(formats[0], resumed, place);
    }
    look_at_whole(std::move(head), stream, place);
  }

  // In memory, since the format must be read at random. What does not fit is looked at as far as it does.
  void look_at_whole(base::Bytes bytes, formats::Stream& stream, const Place& place) {
    const auto budget = static_cast<std::size_t>(buffer_left_);
    if (auto read = read_up_to(stream, budget, bytes); !read) damaged(place, read.error());
    if (bytes.size() >= budget) {
      return gap(place, fmt::format("it is compressed and larger than the {} MiB that are held in memory",
                                    kMaxBufferedBytes >> 20));
    }
    buffer_left_ -= bytes.size();
    look_at(formats::MemorySource(bytes), place);
    buffer_left_ += bytes.size();
  }

  void pickle(formats::Stream& stream, const Place& place) {
    const auto summary = inspect_pickle(stream, place.path, {.container = place.container}, findings_);
    if (!summary) damaged(place, summary.error());
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

  void inflate(formats::Stream& stream, formats::DeflateFormat format, const Place& place) {
    auto inflated = formats::InflateStream::open(stream, format);
    if (!inflated) return damaged(place, inflated.error());
    auto inner = place.member("inflated");
    inner.container = PickleContainer::kJoblib;
    look_at(*inflated, inner);
    report(inflated->anomalies(), place);
  }

  void tar(formats::Stream& stream, const Place& place) {
    formats::TarReader reader(stream);
    while (true) {
      const auto entry = reader.next();
      if (!entry) {
        damaged(place, entry.error());
        break;
      }
      if (!*entry) break;
      if ((*entry)->type == formats::TarType::kFile) look_at(reader, place.member((*entry)->name));
    }
    report(reader.anomalies(), place);
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
    bool script_seen = false;
    for (const auto& entry : reader->entries()) {
      if (entry.is_folder() || (torch && torch->is_storage(entry.name))) continue;
      if (torch && torch->is_code(entry.name)) {
        if (!std::exchange(script_seen, true)) {
          findings_.add("torch.script-code", place.path, entry.header_offset,
                        fmt::format("it holds code, first in {}", formats::quote(entry.name)));
          gap(place, "TorchScript code can't be inspected");
        }
        continue;
      }
      auto inner = place.member(entry.name);
      if (torch) inner.container = PickleContainer::kTorchZip;
      zip_member(*reader, entry, inner);
    }
  }

  void zip_member(const formats::ZipReader& reader, const formats::ZipEntry& entry, const Place& place) {
    const bool stored = entry.method == formats::kZipStored && !entry.encrypted();
    if (stored && entry.size > kReadWholeBytes && place.depth <= kMaxNesting) {
      const auto range = reader.stored_range(entry);
      return range ? look_at(*range, place) : damaged(place, range.error());
    }
    auto member = reader.open_member(entry);
    if (!member) {
      // The directory's anomalies have said what is wrong; what matters here is that nothing was seen.
      return gap(place, member.error().message);
    }
    look_at(*member, place);
    report(member->anomalies(), place);
  }

  void report(const formats::Anomalies& anomalies, const Place& place) {
    for (const auto& anomaly : anomalies.items()) {
      findings_.add(rule_of(anomaly.kind), place.path, anomaly.offset, anomaly.text);
    }
  }

  void damaged(const Place& place, const base::Error& error) {
    findings_.add("archive.damaged", place.path, std::nullopt, error.message);
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
  std::uint64_t buffer_left_ = kMaxBufferedBytes;
};

}  // namespace

Coverage inspect_artefact(const formats::Source& file, const std::string& path, Findings& findings) {
  Coverage coverage;
  Inspector inspector(findings, coverage);
  inspector.look_at(file, {.path = path});
  if (file.size() == 0) coverage.format = "empty";
  return coverage;
}

}  // namespace holdfast::inspect
