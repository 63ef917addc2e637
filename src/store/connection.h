#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <span>

#include "store/sql.h"

// The seam between store/ and a database product, for store/ alone: the rest of the program sees database.h.
// A connection is used by one thread at a time.

namespace holdfast::store {

enum class Access { kRead, kWrite };

class Connection {
 public:
  virtual ~Connection() = default;

  // Opens a transaction. With kWrite it holds the one right to write at once, so that it never fails later
  // because another wrote in between; with kRead it sees the state of its first query until it ends.
  // kDeadline where another writer did not finish in time.
  virtual base::Result<> begin(Access access) = 0;
  // Durable on return. After an error comes rollback(); with kIo, what a restart finds is not known.
  virtual base::Result<> commit() = 0;
  // Ends the transaction if one is open.
  virtual base::Result<> rollback() = 0;

  // One statement that gives no rows; of an INSERT, UPDATE or DELETE, the count of rows it changed.
  virtual base::Result<std::int64_t> execute(Sql sql, std::span<const Parameter> parameters) = 0;
  // One statement that gives rows. With kRead, kInternal for one that writes.
  virtual base::Result<Table> query(Sql sql, std::span<const Parameter> parameters, Access access) = 0;
  // Statements without parameters, one after the other.
  virtual base::Result<> run_script(Sql sql) = 0;
};

struct SqliteOptions {
  std::filesystem::path path;
  Access access = Access::kWrite;               // a kRead connection can't write; its database must exist
  std::chrono::milliseconds lock_wait{};        // for another process's lock
  std::chrono::milliseconds statement_limit{};  // the longest that one statement may take
};

// Opens a database file of ours, or makes one where there is none (mode 0600). kInvalidArgument for a file
// that another program made, kDataCorrupt for one that is damaged.
base::Result<std::unique_ptr<Connection>> open_sqlite(const SqliteOptions& options);

}  // namespace holdfast::store
