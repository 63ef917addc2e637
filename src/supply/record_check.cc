#include "supply/record_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <unordered_set>

#include "base/encoding.h"
#include "base/file.h"
#include "crypto/sha256.h"
#include "formats/source.h"
#include "supply/lock_parts.h"

namespace holdfast::supply {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;
using Kind = RecordDifference::Kind;

// One cell of CSV (RFC 4180), and takes it off; false where a quote is not closed.
bool take_cell(std::string_view& line, std::string& cell) {
  cell.clear();
  if (!line.starts_with('"')) {
    cell = line.substr(0, line.find(','));
    line.remove_prefix(std::min(line.size(), cell.size() + 1));
    return true;
  }
  for (std::size_t at = 1; at < line.size(); ++at) {
    if (line[at] != '"') {
      cell.push_back(line[at]);
    } else if (at + 1 < line.size() && line[at + 1] == '"') {
      cell.push_back('"');
      ++at;
    } else {
      line.remove_prefix(std::min(line.size(), at + 2));
      return true;
    }
  }
  return false;
}

// A distribution may install beside its site-packages, as bin/ of lib/python3.11/site-packages, and no
// further out.
bool leaves(const fs::path& relative) {
  constexpr int kMaxUp = 3;
  int up = 0;
  for (const auto& part : relative.lexically_normal()) {
    if (part != "..") break;
    ++up;
  }
  return relative.is_absolute() || up > kMaxUp;
}

base::Result<base::Digest> digest_of(const fs::path& path) {
  HF_TRY(const auto file, formats::FileSource::open(path));
  crypto::Sha256 hash;
  formats::SourceStream stream(file);
  base::Bytes buffer(256UL << 10);
  while (true) {
    HF_TRY(const auto count, stream.read(buffer));
    if (count == 0) return hash.finish();
    hash.update(base::ByteView(buffer).first(count));
  }
}

// What Python imports or obeys by being there.
bool is_active(const fs::path& path) {
  constexpr std::array<std::string_view, 6> kEndings{".py", ".pth", ".so", ".pyd", ".pyc", ".egg-link"};
  if (path.parent_path().filename() == "__pycache__") return false;
  return std::find(kEndings.begin(), kEndings.end(), path.extension().string()) != kEndings.end();
}

class Checker {
 public:
  explicit Checker(fs::path folder) : folder_(std::move(folder)) {}

  base::Result<> check(RecordCheck& to) {
    std::error_code error;
    std::vector<fs::path> records;
    for (auto each = fs::directory_iterator(folder_, error); !error && each != fs::directory_iterator();
         each.increment(error)) {
      if (each->path().extension() == ".dist-info") records.push_back(each->path() / "RECORD");
    }
    if (error) return base::fail_errno(fmt::format("cannot list {}", folder_.string()), error.value());
    std::sort(records.begin(), records.end());
    for (const auto& record : records) check_record(record, to);
    return find_added(to);
  }

 private:
  void check_record(const fs::path& record, RecordCheck& to) {
    const auto bytes = base::read_file(record, kMaxRecordBytes);
    const auto entries = bytes ? read_record(base::as_text(*bytes))
                               : base::Result<std::vector<RecordEntry>>(base::fail(bytes.error()));
    if (!entries) {
      to.differences.push_back({Kind::kUnproven, record.generic_string()});
      return;
    }
    for (const auto& entry : *entries) check_entry(entry, to);
  }

  void check_entry(const RecordEntry& entry, RecordCheck& to) {
    const fs::path relative(entry.path);
    const auto path = (folder_ / relative).lexically_normal();
    if (leaves(relative)) {
      to.differences.push_back({Kind::kOutside, entry.path});
      return;
    }
    named_.insert(path.generic_string());
    std::error_code error;
    const auto status = fs::symlink_status(path, error);
    const bool compiled = path.parent_path().filename() == "__pycache__";
    if (!fs::exists(status)) {
      if (!compiled) to.differences.push_back({Kind::kMissing, path.generic_string()});
      return;
    }
    const bool own = path.parent_path().extension() == ".dist-info";
    if (entry.sha256.empty()) {
      if (!own && !compiled) to.differences.push_back({Kind::kUnproven, path.generic_string()});
      return;
    }
    const auto digest = fs::is_regular_file(status)
                            ? digest_of(path)
                            : base::Result<base::Digest>(base::fail(ErrorCode::kIo, "it is no file"));
    ++to.files;
    if (!digest || base::base64_encode(digest->bytes(), base::Base64::kUrl) != entry.sha256) {
      to.differences.push_back({Kind::kChanged, path.generic_string()});
    }
  }

  base::Result<> find_added(RecordCheck& to) {
    std::error_code error;
    std::vector<std::string> added;
    std::size_t met = 0;
    for (auto each = fs::recursive_directory_iterator(folder_, error);
         !error && each != fs::recursive_directory_iterator(); each.increment(error)) {
      if (++met > kMaxFolderEntries) {
        return base::fail(ErrorCode::kLimitExceeded,
                          fmt::format("{} holds more than {} names", folder_.string(), kMaxFolderEntries));
      }
      const auto path = each->path().lexically_normal().generic_string();
      std::error_code of_one;
      const bool counts = each->is_symlink(of_one) || (each->is_regular_file(of_one) && is_active(path));
      if (counts && !named_.contains(path)) added.push_back(path);
    }
    if (error) return base::fail_errno(fmt::format("cannot list {}", folder_.string()), error.value());
    std::sort(added.begin(), added.end());
    for (auto& path : added) to.differences.push_back({Kind::kAdded, std::move(path)});
    return {};
  }

  fs::path folder_;
  std::unordered_set<std::string> named_;
};

}  // namespace

base::Result<std::vector<RecordEntry>> read_record(std::string_view text) {
  constexpr std::string_view kSha256 = "sha256=";
  std::vector<RecordEntry> entries;
  for (std::size_t number = 1; !text.empty(); ++number) {
    auto line = take_line(text);
    if (line.empty()) continue;
    if (entries.size() == kMaxRecordEntries) {
      return base::fail(ErrorCode::kLimitExceeded,
                        fmt::format("it has more than {} lines", kMaxRecordEntries));
    }
    RecordEntry entry;
    std::string digest;
    std::string size;
    if (!take_cell(line, entry.path) || !take_cell(line, digest) || !take_cell(line, size) || !line.empty() ||
        entry.path.empty() || entry.path.find('\0') != std::string::npos) {
      return base::fail(ErrorCode::kDataCorrupt,
                        fmt::format("line {} is not a path, a digest and a size", number));
    }
    if (digest.starts_with(kSha256)) entry.sha256 = digest.substr(kSha256.size());
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::string sentence(const RecordDifference& difference) {
  switch (difference.kind) {
    case Kind::kChanged:
      return fmt::format("{} was changed since it was installed", difference.path);
    case Kind::kMissing:
      return fmt::format("{} was installed and is not there", difference.path);
    case Kind::kAdded:
      return fmt::format("{} was installed by no distribution, and Python would load it", difference.path);
    case Kind::kOutside:
      return fmt::format("{} is named in a RECORD and lies outside the environment", difference.path);
    case Kind::kUnproven:
      return fmt::format("{} can't be proven: its RECORD is not there, can't be read or has no SHA-256",
                         difference.path);
  }
  return {};
}

base::Result<RecordCheck> check_records(const Collection& collection) {
  std::set<fs::path> folders;
  for (const auto& read : collection.read) {
    const fs::path path(read);
    if (path.filename() == "METADATA" && path.parent_path().extension() == ".dist-info") {
      folders.insert(path.parent_path().parent_path());
    }
  }
  RecordCheck check;
  for (const auto& folder : folders) HF_CHECK(Checker(folder).check(check));
  return check;
}

}  // namespace holdfast::supply
