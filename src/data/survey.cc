#include "data/survey.h"

#include <fmt/format.h>

#include <string>

#include "crypto/sha256.h"
#include "formats/csv.h"

namespace holdfast::data {

using base::ErrorCode;
using base::fail;
using base::Result;

namespace {

Result<base::Digest> digest_of(const formats::Source& source) {
  constexpr std::size_t kPiece = 1UL << 20;
  crypto::Sha256 hash;
  base::Bytes buffer(kPiece);
  formats::SourceStream stream(source);
  for (;;) {
    HF_TRY(const std::size_t got, stream.read(buffer));
    if (got == 0) return hash.finish();
    hash.update(base::ByteView(buffer).first(got));
  }
}

void append_field(std::string& line, std::string_view field) {
  if (field.find_first_of(",\"\r\n") == std::string_view::npos) {
    line += field;
    return;
  }
  line += '"';
  for (const char c : field) {
    if (c == '"') line += '"';
    line += c;
  }
  line += '"';
}

void write_record(std::span<const std::string_view> record, std::string& line) {
  line.clear();
  for (std::size_t i = 0; i < record.size(); ++i) {
    if (i > 0) line += ',';
    append_field(line, record[i]);
  }
  line += '\n';
}

}  // namespace

Result<Survey> survey_csv(const formats::Source& csv, const Split::Fractions& fractions) {
  HF_TRY(const base::Digest digest, digest_of(csv));
  HF_TRY(const Split split, Split::create(digest, fractions));
  formats::SourceStream stream(csv);
  HF_TRY(auto reader, formats::CsvReader::create(stream));
  HF_TRY(const auto header, reader.next());
  if (!header)
    return fail(ErrorCode::kInvalidArgument, "the dataset is empty: its first line names the columns");
  const std::vector<std::string> names(header->begin(), header->end());
  HF_TRY(Profile whole, Profile::create(names));
  HF_TRY(Profile train, Profile::create(names));
  std::string line;
  std::array<crypto::Sha256, 3> hashes;
  write_record(*header, line);
  for (auto& hash : hashes) hash.update(base::as_bytes(line));

  Survey survey{
      .digest = digest, .profile = std::move(whole), .train_profile = std::move(train), .parts = {}};
  for (;; ++survey.rows) {
    HF_TRY(const auto record, reader.next());
    if (!record) break;
    const Part part = split.part_of(survey.rows);
    const auto index = static_cast<std::size_t>(part);
    write_record(*record, line);
    hashes[index].update(base::as_bytes(line));
    ++survey.parts[index].rows;
    survey.profile.add(*record);
    if (part == Part::kTrain) survey.train_profile.add(*record);
  }
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    if (survey.parts[i].rows == 0) {
      return fail(
          ErrorCode::kInvalidArgument,
          fmt::format("the dataset has {} rows, of which none falls into its {} part; a dataset needs "
                      "rows enough for all three",
                      survey.rows, to_string(static_cast<Part>(i))));
    }
    survey.parts[i].digest = hashes[i].finish();
  }
  return survey;
}

std::vector<std::size_t> rows_of(const Split& split, Part part, std::size_t rows) {
  std::vector<std::size_t> indices;
  for (std::size_t row = 0; row < rows; ++row) {
    if (split.part_of(row) == part) indices.push_back(row);
  }
  return indices;
}

}  // namespace holdfast::data
