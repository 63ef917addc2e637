#include "registry/datasets.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "intake/dataset_surveyor.h"
#include "registry/blob_bytes.h"
#include "registry/names.h"
#include "registry/row_record.h"

namespace holdfast::registry {

using base::ErrorCode;
using base::fail;
using base::Result;
using nlohmann::json;
using store::Sql;

namespace {

constexpr std::size_t kMaxPurposeBytes = 1000;

json parts_json(const std::array<data::PartSurvey, 3>& parts) {
  json value;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    value[std::string(to_string(static_cast<data::Part>(i)))] = {{"digest", parts[i].digest.prefixed()},
                                                                 {"rows", parts[i].rows}};
  }
  return value;
}

Result<std::array<data::PartSurvey, 3>> parse_parts(std::string_view text) {
  const auto corrupt = [] {
    return fail(ErrorCode::kDataCorrupt, "a dataset's row does not tell its parts");
  };
  HF_TRY(const json value, base::parse_json(text));
  std::array<data::PartSurvey, 3> parts;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto part = value.find(to_string(static_cast<data::Part>(i)));
    if (part == value.end() || !part->is_object()) return corrupt();
    const auto digest = part->find("digest");
    const auto rows = part->find("rows");
    if (digest == part->end() || !digest->is_string() || rows == part->end() || !rows->is_number_unsigned()) {
      return corrupt();
    }
    HF_TRY(parts[i].digest, base::Digest::from_hex(digest->get<std::string>()));
    parts[i].rows = rows->get<std::uint64_t>();
  }
  return parts;
}

// All of what the row says.
audit::RowName name_row(const Dataset& dataset, const base::Digest& profile) {
  return audit::name_row(
      fmt::format("datasets/{}/{}/{}", dataset.workspace.value(), dataset.name, dataset.version),
      {{"digest", dataset.digest.hex()},
       {"size", dataset.size_bytes},
       {"rows", dataset.rows},
       {"schema", data::to_json(dataset.schema)},
       {"profile", profile.hex()},
       {"parts", parts_json(dataset.parts)},
       {"purpose", dataset.purpose},
       {"keep_until", dataset.keep_until.microseconds()},
       {"created_at", dataset.created_at.microseconds()},
       {"created_by", dataset.created_by}});
}

using Row = std::tuple<std::string, std::int64_t, base::Digest, std::int64_t, std::int64_t, std::string,
                       std::string, std::string, base::Timestamp, base::Timestamp, std::string>;

Result<Dataset> dataset_of(const base::WorkspaceId& workspace, Row row) {
  auto& [name, version, digest, size, rows, schema, parts, purpose, keep_until, created_at, created_by] = row;
  HF_TRY(auto parsed_schema, data::parse_schema(schema));
  HF_TRY(const auto parsed_parts, parse_parts(parts));
  return Dataset{.workspace = workspace,
                 .name = std::move(name),
                 .version = version,
                 .digest = digest,
                 .size_bytes = static_cast<std::uint64_t>(size),
                 .rows = static_cast<std::uint64_t>(rows),
                 .schema = std::move(parsed_schema),
                 .parts = parsed_parts,
                 .purpose = std::move(purpose),
                 .keep_until = keep_until,
                 .created_at = created_at,
                 .created_by = std::move(created_by)};
}

Result<std::optional<Dataset>> newest(const store::Snapshot& snapshot, const base::WorkspaceId& workspace,
                                      std::string_view name, std::optional<std::int64_t> version) {
  auto found = snapshot.row<std::string, std::int64_t, base::Digest, std::int64_t, std::int64_t, std::string,
                            std::string, std::string, base::Timestamp, base::Timestamp, std::string>(
      Sql("SELECT name, version, digest, size, row_count, schema_json, parts, purpose, keep_until, "
          "created_at,"
          " created_by FROM datasets WHERE workspace = $1 AND name = $2 AND ($3 IS NULL OR version = $3)"
          " ORDER BY version DESC LIMIT 1"),
      workspace, name, version);
  if (!found) return fail(std::move(found).error());
  if (!*found) return std::optional<Dataset>();
  HF_TRY(auto dataset, dataset_of(workspace, **std::move(found)));
  return std::optional<Dataset>(std::move(dataset));
}

Result<> insert(store::Transaction& change, const Dataset& dataset, const base::Digest& profile,
                const audit::Receipt& receipt) {
  HF_CHECK(change.execute(Sql("INSERT INTO datasets (workspace, name, version, digest, size, row_count, "
                              "schema_json, train_profile, parts,"
                              " purpose, keep_until, created_at, created_by, record_index, record)"
                              " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"),
                          dataset.workspace, dataset.name, dataset.version, dataset.digest,
                          static_cast<std::int64_t>(dataset.size_bytes),
                          static_cast<std::int64_t>(dataset.rows), data::to_json(dataset.schema), profile,
                          parts_json(dataset.parts).dump(), dataset.purpose, dataset.keep_until,
                          dataset.created_at, dataset.created_by, static_cast<std::int64_t>(receipt.index),
                          receipt.leaf));
  return {};
}

}  // namespace

data::Split Dataset::split() const { return *data::Split::create(digest, {}); }

json Dataset::json() const {
  nlohmann::json columns = nlohmann::json::array();
  for (const auto& column : schema.columns) {
    nlohmann::json one{
        {"name", column.name}, {"type", to_string(column.type)}, {"nullable", column.nullable}};
    if (column.sensitive) one["sensitive"] = to_string(*column.sensitive);
    columns.push_back(std::move(one));
  }
  return {{"name", name},
          {"version", version},
          {"digest", digest.prefixed()},
          {"size_bytes", size_bytes},
          {"rows", rows},
          {"columns", std::move(columns)},
          {"parts", parts_json(parts)},
          {"purpose", purpose},
          {"keep_until", keep_until.text()},
          {"created_at", created_at.text()},
          {"created_by", created_by}};
}

Result<Dataset> Datasets::add(const access::Authorised& authorised, const NewDataset& wanted,
                              const formats::FileSource& csv) {
  HF_CHECK(check_name("a dataset's name", wanted.name));
  if (wanted.purpose.empty() || wanted.purpose.size() > kMaxPurposeBytes) {
    return fail(
        ErrorCode::kInvalidArgument,
        fmt::format("a dataset is registered for a purpose: say in 1 to {} bytes what it may be used for",
                    kMaxPurposeBytes));
  }
  const auto now = parts_.clock.now();
  if (wanted.keep_until <= now) {
    return fail(ErrorCode::kInvalidArgument, "a dataset's retention must end in the future");
  }
  HF_TRY(auto survey, intake::survey_dataset(csv));
  Dataset dataset{.workspace = authorised.caller().workspace(),
                  .name = wanted.name,
                  .version = 1,
                  .digest = survey.digest,
                  .size_bytes = csv.size(),
                  .rows = survey.rows,
                  .schema = std::move(survey.schema),
                  .parts = survey.parts,
                  .purpose = wanted.purpose,
                  .keep_until = wanted.keep_until,
                  .created_at = now,
                  .created_by = authorised.caller().text()};

  // Blobs first: what no row speaks of harms nobody.
  HF_TRY(const auto blob, keep_blob(parts_, dataset.workspace, csv));
  if (blob.digest != survey.digest)
    return fail(ErrorCode::kConflict, "the dataset changed while it was read");
  const std::string profile_json = data::to_json(survey.train_profile);
  HF_TRY(const auto profile,
         keep_blob(parts_, dataset.workspace, formats::MemorySource(base::as_bytes(profile_json))));

  HF_TRY(auto change, parts_.database.begin());
  HF_TRY(const auto before, newest(change.view(), dataset.workspace, dataset.name, std::nullopt));
  if (before) {
    if (before->digest == dataset.digest) {
      return fail(ErrorCode::kAlreadyExists,
                  fmt::format("the dataset {} has these bytes already, as version {}", dataset.name,
                              before->version));
    }
    dataset.version = before->version + 1;
  }
  HF_TRY(auto recorded,
         record_row(
             parts_.log, authorised, "dataset.register", name_row(dataset, profile.digest),
             {{"name", dataset.name}, {"version", dataset.version}, {"digest", dataset.digest.prefixed()}}));
  HF_CHECK(insert(change, dataset, profile.digest, recorded.receipt()));
  HF_CHECK(change.next_change(dataset.workspace, "dataset", dataset.name));
  HF_CHECK(recorded.commit(change));
  return dataset;
}

Result<Dataset> Datasets::find(const base::WorkspaceId& workspace, std::string_view name,
                               std::optional<std::int64_t> version) const {
  HF_TRY(const auto snapshot, parts_.database.snapshot());
  HF_TRY(auto found, newest(snapshot, workspace, name, version));
  if (found) return *std::move(found);
  return fail(ErrorCode::kNotFound,
              version ? fmt::format("there is no version {} of a dataset {}", *version, name)
                      : fmt::format("there is no dataset {}", name));
}

Result<std::vector<Dataset>> Datasets::list(const base::WorkspaceId& workspace, std::string_view after,
                                            std::size_t limit) const {
  HF_TRY(const auto snapshot, parts_.database.snapshot());
  auto rows = snapshot.rows<std::string, std::int64_t, base::Digest, std::int64_t, std::int64_t, std::string,
                            std::string, std::string, base::Timestamp, base::Timestamp, std::string>(
      Sql("SELECT name, version, digest, size, row_count, schema_json, parts, purpose, keep_until, "
          "created_at,"
          " created_by FROM datasets AS d WHERE workspace = $1 AND name > $2 AND version ="
          " (SELECT max(version) FROM datasets WHERE workspace = d.workspace AND name = d.name)"
          " ORDER BY name LIMIT $3"),
      workspace, after, static_cast<std::int64_t>(limit));
  if (!rows) return fail(std::move(rows).error());
  std::vector<Dataset> datasets;
  for (auto& row : *rows) {
    HF_TRY(auto dataset, dataset_of(workspace, std::move(row)));
    datasets.push_back(std::move(dataset));
  }
  return datasets;
}

Result<data::Profile> Datasets::train_profile(const Dataset& dataset) const {
  HF_TRY(const auto snapshot, parts_.database.snapshot());
  HF_TRY(const auto found,
         snapshot.row<base::Digest>(Sql("SELECT train_profile FROM datasets WHERE workspace = $1"
                                        " AND name = $2 AND version = $3"),
                                    dataset.workspace, dataset.name, dataset.version));
  if (!found) return fail(ErrorCode::kNotFound, fmt::format("there is no dataset {}", dataset.name));
  HF_TRY(const auto text, read_blob(parts_, dataset.workspace, std::get<0>(*found)));
  return data::parse_profile(base::as_text(text));
}

Result<base::Bytes> Datasets::open(const Dataset& dataset) const {
  return read_blob(parts_, dataset.workspace, dataset.digest);
}

Result<> claim_datasets(const store::Snapshot& view, std::vector<audit::RowClaim>& claims) {
  using Key = std::tuple<base::WorkspaceId, std::string, std::int64_t>;
  const auto query = [&view](const Key& after) {
    const auto& [workspace, name, version] = after;
    return view.rows<base::WorkspaceId, base::Digest, std::int64_t, base::Digest, std::string, std::int64_t,
                     base::Digest, std::int64_t, std::int64_t, std::string, std::string, std::string,
                     base::Timestamp, base::Timestamp, std::string>(
        Sql("SELECT workspace, train_profile, record_index, record, name, version, digest, size, row_count,"
            " schema_json, parts, purpose, keep_until, created_at, created_by FROM datasets"
            " WHERE (workspace, name, version) > ($1, $2, $3) ORDER BY workspace, name, version LIMIT $4"),
        workspace, name, version, audit::kClaimsPage);
  };
  return audit::claim_pages(Key(), query, [&claims](auto& row) -> Result<Key> {
    auto& [workspace, profile, index, leaf, name, version, digest, size, rows, schema, parts, purpose,
           keep_until, created_at, created_by] = row;
    const auto dataset = dataset_of(workspace, Row(name, version, digest, size, rows, schema, parts, purpose,
                                                   keep_until, created_at, created_by));
    if (!dataset) {
      return fail(base::Error(dataset.error())
                      .within(fmt::format("the row datasets/{}/{}/{}", workspace.value(), name, version)));
    }
    claims.push_back(audit::claim_row(name_row(*dataset, profile), index, leaf));
    return Key(workspace, name, version);
  });
}

}  // namespace holdfast::registry
