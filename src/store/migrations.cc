#include "store/migrations.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/assert.h"
#include "crypto/sha256.h"
#include "store/database.h"

namespace holdfast::store {
namespace {

using base::Digest;
using base::ErrorCode;
using base::fail;
using base::Result;

Digest digest_of(const Migration& step) { return crypto::sha256(base::as_bytes(step.sql.text())); }

// A step that the database says it has taken is the same step of ours.
Result<> check_recorded(std::span<const ModuleMigrations> modules, const std::string& module,
                        std::int64_t version, const Digest& sha256) {
  const auto known =
      std::find_if(modules.begin(), modules.end(), [&](const auto& m) { return m.module == module; });
  if (known == modules.end() || version > std::ssize(known->steps)) {
    return fail(
        ErrorCode::kUnsupported,
        fmt::format(
            "the database has step {} of {}, which this program does not know: a newer Holdfast wrote "
            "it; use that version or newer",
            version, module));
  }
  if (version < 1 || digest_of(known->steps[static_cast<std::size_t>(version - 1)]) != sha256) {
    return fail(
        ErrorCode::kDataCorrupt,
        fmt::format("step {} of {} that the database has taken is not the one of this program; restore the "
                    "database from a backup or use the program that wrote it",
                    version, module));
  }
  return {};
}

Result<> apply(Transaction& transaction, const ModuleMigrations& module, std::size_t taken) {
  for (std::size_t i = taken; i < module.steps.size(); ++i) {
    const Migration& step = module.steps[i];
    if (auto done = transaction.run_script(step.sql); !done) {
      return fail(std::move(done).error().within(
          fmt::format("step {} of {} ({}) can't be applied", i + 1, module.module, step.name)));
    }
    HF_CHECK(transaction.execute(
        Sql("INSERT INTO schema_steps (module, version, name, sha256) VALUES ($1, $2, $3, $4)"),
        module.module, static_cast<std::int64_t>(i + 1), step.name, digest_of(step)));
  }
  return {};
}

}  // namespace

Result<> apply_migrations(Transaction& transaction, std::span<const ModuleMigrations> modules) {
  HF_CHECK(transaction.run_script(Sql(R"(CREATE TABLE IF NOT EXISTS schema_steps (
    module TEXT NOT NULL,
    version BIGINT NOT NULL,
    name TEXT NOT NULL,
    sha256 BYTEA NOT NULL,
    PRIMARY KEY (module, version)))")));
  HF_TRY(const auto recorded,
         transaction.view().rows<std::string, std::int64_t, Digest>(
             Sql("SELECT module, version, sha256 FROM schema_steps ORDER BY module, version")));
  for (const auto& [module, version, sha256] : recorded) {
    HF_CHECK(check_recorded(modules, module, version, sha256));
  }
  for (const ModuleMigrations& module : modules) {
    const auto taken = std::count_if(recorded.begin(), recorded.end(),
                                     [&](const auto& row) { return std::get<0>(row) == module.module; });
    HF_CHECK(apply(transaction, module, static_cast<std::size_t>(taken)));
  }
  return {};
}

}  // namespace holdfast::store
