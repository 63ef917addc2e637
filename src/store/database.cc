#include "store/database.h"

#include <fmt/format.h>

#include "base/assert.h"
#include "store/connection_pool.h"
#include "store/schema.h"

namespace holdfast::store {

using base::ErrorCode;
using base::fail;
using base::Result;

Result<Table> Snapshot::query(Sql sql, std::span<const Parameter> parameters) const {
  HF_ASSERT(connection_ != nullptr);
  return connection_->query(sql, parameters, Access::kRead);
}

// PostgreSQL ends a transaction at its first error and SQLite does not; here it is over in both. It also
// catches a caller that dropped an error and would commit half a change.
Result<> Transaction::check_usable() const {
  HF_ASSERT(view_.connection_ != nullptr);
  if (!failed_) return {};
  return fail(ErrorCode::kInternal, "a statement of this transaction failed before, so it can't go on");
}

Result<std::int64_t> Transaction::run(Sql sql, std::span<const Parameter> parameters) {
  HF_CHECK(check_usable());
  auto changed = view_.connection_->execute(sql, parameters);
  failed_ = !changed.has_value();
  return changed;
}

Result<Table> Transaction::run_returning(Sql sql, std::span<const Parameter> parameters) {
  HF_CHECK(check_usable());
  auto table = view_.connection_->query(sql, parameters, Access::kWrite);
  failed_ = !table.has_value();
  return table;
}

Result<> Transaction::run_script(Sql sql) {
  HF_CHECK(check_usable());
  auto done = view_.connection_->run_script(sql);
  failed_ = !done.has_value();
  return done;
}

Result<> Transaction::commit() {
  const auto usable = check_usable();
  const PooledConnection connection = std::move(view_.connection_);
  HF_CHECK(usable);
  auto done = connection->commit();
  if (!done && done.error().code == ErrorCode::kIo) {
    connection.get_deleter().pool->stop(
        fmt::format("the database takes no writes since its disk failed ({}); check the disk and start again",
                    done.error().message));
  }
  return done;
}

Database::Database(const DatabaseOptions& options) {
  const auto opener = [&options](Access access) -> ConnectionPool::Open {
    return
        [sqlite = SqliteOptions{.path = options.path,
                                .access = access,
                                .lock_wait = options.wait,
                                .statement_limit = options.statement_limit}] { return open_sqlite(sqlite); };
  };
  writer_ = std::make_unique<ConnectionPool>(opener(Access::kWrite), 1, options.wait);
  readers_ = std::make_unique<ConnectionPool>(opener(Access::kRead), options.readers, options.wait);
}

Database::~Database() = default;

Result<std::unique_ptr<Database>> Database::open(const DatabaseOptions& options,
                                                 std::span<const ModuleMigrations> modules) {
  HF_ASSERT(options.readers >= 1 && options.readers <= 64);
  std::unique_ptr<Database> database(new Database(options));
  HF_TRY(Transaction transaction, database->begin());
  std::vector<ModuleMigrations> all{store_migrations()};
  all.insert(all.end(), modules.begin(), modules.end());
  HF_CHECK(apply_migrations(transaction, all));
  HF_CHECK(transaction.commit());
  return database;
}

Result<Snapshot> Database::snapshot() {
  HF_TRY(PooledConnection connection, readers_->take());
  HF_CHECK(connection->begin(Access::kRead));
  return Snapshot(std::move(connection));
}

Result<Transaction> Database::begin() {
  HF_TRY(PooledConnection connection, writer_->take());
  HF_CHECK(connection->begin(Access::kWrite));
  return Transaction(std::move(connection));
}

}  // namespace holdfast::store
