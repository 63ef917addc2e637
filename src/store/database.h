#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <span>

#include "store/migrations.h"
#include "store/sql.h"

// The relational store. A Database is shared by all threads; a Snapshot or Transaction is used by one thread
// at a time, ends with its scope, and must not outlive its Database. Every wait is bounded by
// DatabaseOptions.

namespace holdfast::store {

class Connection;
class ConnectionPool;

// Ends what is open on a connection and hands it back.
struct ReturnToPool {
  ConnectionPool* pool = nullptr;
  void operator()(Connection* connection) const;
};
using PooledConnection = std::unique_ptr<Connection, ReturnToPool>;

// The database as its first query saw it, until the end of the scope. Hold it briefly: SQLite's
// write-ahead log grows as long as a snapshot needs it.
class Snapshot {
 public:
  // The rows of one SELECT, at most kMaxRows: rows<std::int64_t, std::optional<std::string>>(Sql("..."), a,
  // b). kDataCorrupt for a column of another type; kDeadline over DatabaseOptions::statement_limit.
  template <typename... Columns, typename... Values>
  [[nodiscard]] base::Result<std::vector<std::tuple<Columns...>>> rows(Sql sql,
                                                                       const Values&... values) const {
    const std::vector<Parameter> parameters{to_parameter(values)...};
    HF_TRY(Table table, query(sql, parameters));
    return typed_rows<Columns...>(sql, std::move(table));
  }

  // The first row, if there is one.
  template <typename... Columns, typename... Values>
  [[nodiscard]] base::Result<std::optional<std::tuple<Columns...>>> row(Sql sql,
                                                                        const Values&... values) const {
    HF_TRY(auto found, rows<Columns...>(sql, values...));
    if (found.empty()) return std::nullopt;
    return std::move(found.front());
  }

 private:
  friend class Database;
  friend class Transaction;
  explicit Snapshot(PooledConnection connection) : connection_(std::move(connection)) {}
  [[nodiscard]] base::Result<Table> query(Sql sql, std::span<const Parameter> parameters) const;

  PooledConnection connection_;
};

// A change, alone among writers. It happens by commit(); without it, by its destruction, nothing happened.
class Transaction {
 public:
  // What is there, with this transaction's own changes.
  [[nodiscard]] const Snapshot& view() const { return view_; }

  // One INSERT, UPDATE or DELETE; the count of rows it changed. kAlreadyExists where a key is taken,
  // kConflict where a reference would dangle, kInvalidArgument for a value that a column refuses,
  // kUnavailable for a full disk. After an error the transaction can only be dropped.
  template <typename... Values>
  base::Result<std::int64_t> execute(Sql sql, const Values&... values) {
    const std::vector<Parameter> parameters{to_parameter(values)...};
    return run(sql, parameters);
  }

  // As execute, for a statement with RETURNING: its rows.
  template <typename... Columns, typename... Values>
  base::Result<std::vector<std::tuple<Columns...>>> returning(Sql sql, const Values&... values) {
    const std::vector<Parameter> parameters{to_parameter(values)...};
    HF_TRY(Table table, run_returning(sql, parameters));
    return typed_rows<Columns...>(sql, std::move(table));
  }

  // Statements without parameters: for migrations.
  base::Result<> run_script(Sql sql);

  // Takes the next number of the change feed (changes.h) for a mutation that this transaction makes: the
  // `subject` (an id) of this `kind` in a workspace is not what it was. kInvalidArgument for a name that is
  // empty or over kMaxNameBytes (bounds.h).
  base::Result<std::int64_t> next_change(const base::WorkspaceId& workspace, std::string_view kind,
                                         std::string_view subject);

  // Durable on return; the transaction is over either way. kIo where the disk failed: what it holds is no
  // longer known, so the database then takes no writes until it is opened again.
  base::Result<> commit();

 private:
  friend class Database;
  explicit Transaction(PooledConnection connection) : view_(std::move(connection)) {}
  base::Result<std::int64_t> run(Sql sql, std::span<const Parameter> parameters);
  base::Result<Table> run_returning(Sql sql, std::span<const Parameter> parameters);
  base::Result<> check_usable() const;

  Snapshot view_;
  bool failed_ = false;
};

struct DatabaseOptions {
  std::filesystem::path path;             // a file; its folder exists
  int readers = 4;                        // snapshots open at once, 1 to 64
  std::chrono::milliseconds wait{5'000};  // for the writer's turn, a reader's, or another process's lock
  std::chrono::milliseconds statement_limit{30'000};  // the longest that one statement may take
};

class Database {
 public:
  // Opens the file, or makes it (mode 0600), and brings its tables up to store/'s steps and those of
  // `modules`. kInvalidArgument for a file of another program, kDataCorrupt for a damaged one, and as
  // apply_migrations.
  static base::Result<std::unique_ptr<Database>> open(const DatabaseOptions& options,
                                                      std::span<const ModuleMigrations> modules = {});
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // kDeadline where no reader, or the writer, is free in time; a thread that holds one waits for itself.
  [[nodiscard]] base::Result<Snapshot> snapshot();
  [[nodiscard]] base::Result<Transaction> begin();

 private:
  explicit Database(const DatabaseOptions& options);
  std::unique_ptr<ConnectionPool> writer_;
  std::unique_ptr<ConnectionPool> readers_;
};

}  // namespace holdfast::store
