#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <string>

#include "base/file.h"
#include "store/connection.h"

namespace holdfast::store {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using SteadyTime = std::chrono::steady_clock::time_point;

// "Hold", in the file's header (sqlite.org/fileformat2, 1.3).
constexpr std::int64_t kApplicationId = 0x486F6C64;
constexpr std::size_t kMaxStatements = 256;    // prepared ones kept by a connection
constexpr int kInstructionsPerCheck = 10'000;  // of SQLite's machine, between two looks at the clock

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

// Leaves a cached statement fit for its next use.
class StatementUse {
 public:
  explicit StatementUse(sqlite3_stmt* statement) : statement_(statement) {}
  StatementUse(const StatementUse&) = delete;
  StatementUse& operator=(const StatementUse&) = delete;
  ~StatementUse() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }
  [[nodiscard]] sqlite3_stmt* get() const { return statement_; }

 private:
  sqlite3_stmt* statement_;
};

bool disk_is_full(int errno_value) {
  return errno_value == ENOSPC || errno_value == EDQUOT || errno_value == EFBIG;
}

// What an extended result code (sqlite.org/rescode) means to a caller.
ErrorCode code_of(int result, int errno_value) {
  switch (result) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
      return ErrorCode::kAlreadyExists;
    case SQLITE_CONSTRAINT_CHECK:
    case SQLITE_CONSTRAINT_NOTNULL:
      return ErrorCode::kInvalidArgument;
    case SQLITE_BUSY_SNAPSHOT:
      return ErrorCode::kConflict;
    default:
      break;
  }
  switch (result & 0xFF) {
    case SQLITE_CONSTRAINT:
      return ErrorCode::kConflict;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorCode::kDeadline;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorCode::kDataCorrupt;
    case SQLITE_FULL:
    case SQLITE_NOMEM:
      return ErrorCode::kUnavailable;
    case SQLITE_TOOBIG:
      return ErrorCode::kLimitExceeded;
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return ErrorCode::kPermissionDenied;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_PROTOCOL:
      return disk_is_full(errno_value) ? ErrorCode::kUnavailable : ErrorCode::kIo;
    default:
      return ErrorCode::kInternal;
  }
}

std::string_view remedy_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kDeadline:
      return "; another writer held it for too long, try again";
    case ErrorCode::kDataCorrupt:
      return "; restore it from a backup";
    case ErrorCode::kUnavailable:
      return "; free space or memory and try again";
    default:
      return "";
  }
}

class SqliteConnection final : public Connection {
 public:
  explicit SqliteConnection(const SqliteOptions& options) : options_(options) {}

  Result<> open();

  Result<> begin(Access access) override;
  Result<> commit() override;
  Result<> rollback() override;
  Result<std::int64_t> execute(Sql sql, std::span<const Parameter> parameters) override;
  Result<Table> query(Sql sql, std::span<const Parameter> parameters, Access access) override;
  Result<> run_script(Sql sql) override;

 private:
  struct Prepared {
    std::unique_ptr<sqlite3_stmt, FinalizeStatement> statement;
    std::uint64_t last_use = 0;
  };

  static int check_deadline(void* self);
  [[nodiscard]] tl::unexpected<base::Error> failed(int result) const;
  Result<> configure();
  Result<> check_owner();
  Result<std::int64_t> integer(Sql sql);
  Result<sqlite3_stmt*> prepare(Sql sql);
  Result<> bind(sqlite3_stmt* statement, std::span<const Parameter> parameters) const;
  Result<> read_row(sqlite3_stmt* statement, Table& table, std::size_t& bytes) const;
  void start_clock() { deadline_ = std::chrono::steady_clock::now() + options_.statement_limit; }

  SqliteOptions options_;
  SteadyTime deadline_ = SteadyTime::max();
  std::unique_ptr<sqlite3, CloseDatabase> database_;
  std::map<std::string_view, Prepared> statements_;  // by their text, which lives as long as the program
  std::uint64_t uses_ = 0;
};

int SqliteConnection::check_deadline(void* self) {
  return std::chrono::steady_clock::now() > static_cast<SqliteConnection*>(self)->deadline_ ? 1 : 0;
}

tl::unexpected<base::Error> SqliteConnection::failed(int result) const {
  if (result == SQLITE_INTERRUPT) {
    return fail(ErrorCode::kDeadline, fmt::format("the database {}: a statement took longer than {} ms",
                                                  options_.path.string(), options_.statement_limit.count()));
  }
  const ErrorCode code = code_of(result, sqlite3_system_errno(database_.get()));
  return fail(code, fmt::format("the database {}: {}{}", options_.path.string(),
                                sqlite3_errmsg(database_.get()), remedy_of(code)));
}

Result<> SqliteConnection::open() {
  if (options_.access == Access::kWrite) {
    // SQLite would make the file as the umask says. O_EXCL, since to close a descriptor of a database that
    // this process has open already would drop its locks (sqlite.org/howtocorrupt, 2.2).
    const base::UniqueFd fd(::open(options_.path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!fd.valid() && errno != EEXIST) {
      return base::fail_errno(fmt::format("cannot create {}", options_.path.string()), errno);
    }
  }
  sqlite3* database = nullptr;
  // Absolute, so that no name is taken for a URI or for ":memory:".
  const std::string path = std::filesystem::absolute(options_.path).string();
  const int result = sqlite3_open_v2(
      path.c_str(), &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  database_.reset(database);
  if (result != SQLITE_OK) return failed(result);
  sqlite3_busy_timeout(database, static_cast<int>(options_.lock_wait.count()));
  sqlite3_progress_handler(database, kInstructionsPerCheck, &check_deadline, this);
  return configure();
}

Result<> SqliteConnection::configure() {
  constexpr int kOn = 1;
  constexpr int kOff = 0;
  for (const auto& [option, value] :
       {std::pair{SQLITE_DBCONFIG_DEFENSIVE, kOn}, std::pair{SQLITE_DBCONFIG_TRUSTED_SCHEMA, kOff},
        std::pair{SQLITE_DBCONFIG_DQS_DML, kOff}, std::pair{SQLITE_DBCONFIG_DQS_DDL, kOff},
        std::pair{SQLITE_DBCONFIG_ENABLE_FKEY, kOn}}) {
    const int result = sqlite3_db_config(database_.get(), option, value, nullptr);
    if (result != SQLITE_OK) return failed(result);
  }
  sqlite3_limit(database_.get(), SQLITE_LIMIT_LENGTH, static_cast<int>(kMaxValueBytes));
  sqlite3_limit(database_.get(), SQLITE_LIMIT_ATTACHED, 0);
  // No memory map: a file cut short would be a signal rather than an error. Temporary tables stay off the
  // disk, which the state folder's sealing does not cover.
  HF_CHECK(
      run_script(Sql("PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY;"
                     "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864;")));
  // Before journal_mode writes to what may be another program's file.
  HF_CHECK(check_owner());
  HF_TRY(const Table mode, query(Sql("PRAGMA journal_mode = WAL"), {}, Access::kWrite));
  if (mode.cells != std::vector<Cell>{Cell(std::string("wal"))}) {
    return fail(ErrorCode::kUnsupported,
                fmt::format("the file system of {} can't hold SQLite's write-ahead log; use a local one",
                            options_.path.string()));
  }
  if (options_.access == Access::kRead) return run_script(Sql("PRAGMA query_only = ON"));
  return {};
}

Result<> SqliteConnection::check_owner() {
  HF_TRY(const std::int64_t id, integer(Sql("PRAGMA application_id")));
  if (id == kApplicationId) return {};
  HF_TRY(const std::int64_t objects, integer(Sql("SELECT count(*) FROM sqlite_schema")));
  if (id == 0 && objects == 0) return run_script(Sql("PRAGMA application_id = 0x486F6C64"));
  return fail(
      ErrorCode::kInvalidArgument,
      fmt::format(
          "{} is the database of another program; name a file of Holdfast's or one that does not exist",
          options_.path.string()));
}

Result<std::int64_t> SqliteConnection::integer(Sql sql) {
  HF_TRY(const Table table, query(sql, {}, Access::kRead));
  if (table.cells.size() != 1 || !std::holds_alternative<std::int64_t>(table.cells[0])) {
    return fail(ErrorCode::kDataCorrupt,
                fmt::format("the database {} gives no integer for {}", options_.path.string(), sql.text()));
  }
  return std::get<std::int64_t>(table.cells[0]);
}

Result<> SqliteConnection::begin(Access access) {
  HF_CHECK(execute(access == Access::kWrite ? Sql("BEGIN IMMEDIATE") : Sql("BEGIN"), {}));
  return {};
}

Result<> SqliteConnection::commit() {
  HF_CHECK(execute(Sql("COMMIT"), {}));
  return {};
}

Result<> SqliteConnection::rollback() {
  // An error may have ended the transaction already (sqlite.org/lang_transaction, 3.2).
  if (sqlite3_get_autocommit(database_.get()) != 0) return {};
  HF_CHECK(execute(Sql("ROLLBACK"), {}));
  return {};
}

Result<sqlite3_stmt*> SqliteConnection::prepare(Sql sql) {
  if (const auto known = statements_.find(sql.text()); known != statements_.end()) {
    known->second.last_use = ++uses_;
    return known->second.statement.get();
  }
  if (statements_.size() >= kMaxStatements) {
    statements_.erase(
        std::min_element(statements_.begin(), statements_.end(),
                         [](const auto& a, const auto& b) { return a.second.last_use < b.second.last_use; }));
  }
  sqlite3_stmt* raw = nullptr;
  const char* rest = nullptr;
  const int result =
      sqlite3_prepare_v3(database_.get(), sql.text().data(), static_cast<int>(sql.text().size()),
                         SQLITE_PREPARE_PERSISTENT, &raw, &rest);
  std::unique_ptr<sqlite3_stmt, FinalizeStatement> statement(raw);
  if (result != SQLITE_OK) return failed(result);
  if (raw == nullptr || rest != sql.text().data() + sql.text().size()) {
    return fail(ErrorCode::kInternal, fmt::format("not one statement: {}", sql.text()));
  }
  statements_.insert_or_assign(sql.text(), Prepared{std::move(statement), ++uses_});
  return raw;
}

Result<> SqliteConnection::bind(sqlite3_stmt* statement, std::span<const Parameter> parameters) const {
  const auto wanted = static_cast<std::size_t>(sqlite3_bind_parameter_count(statement));
  if (wanted != parameters.size()) {
    return fail(ErrorCode::kInternal,
                fmt::format("{} values for the {} of {}", parameters.size(), wanted, sqlite3_sql(statement)));
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const int at = sqlite3_bind_parameter_index(statement, fmt::format("${}", i + 1).c_str());
    if (at == 0) {
      return fail(ErrorCode::kInternal, fmt::format("no ${} in {}", i + 1, sqlite3_sql(statement)));
    }
    int result = SQLITE_OK;
    if (const auto* number = std::get_if<std::int64_t>(&parameters[i])) {
      result = sqlite3_bind_int64(statement, at, *number);
    } else if (const auto* text = std::get_if<std::string_view>(&parameters[i])) {
      // A null pointer would bind null rather than the empty text.
      result = sqlite3_bind_text64(statement, at, text->empty() ? "" : text->data(), text->size(),
                                   SQLITE_STATIC, SQLITE_UTF8);
    } else if (const auto* bytes = std::get_if<base::ByteView>(&parameters[i])) {
      result = bytes->empty()
                   ? sqlite3_bind_zeroblob(statement, at, 0)
                   : sqlite3_bind_blob64(statement, at, bytes->data(), bytes->size(), SQLITE_STATIC);
    }
    if (result != SQLITE_OK) return failed(result);
  }
  return {};
}

Result<std::int64_t> SqliteConnection::execute(Sql sql, std::span<const Parameter> parameters) {
  start_clock();
  HF_TRY(sqlite3_stmt* const prepared, prepare(sql));
  const StatementUse statement(prepared);
  HF_CHECK(bind(statement.get(), parameters));
  const int result = sqlite3_step(statement.get());
  if (result == SQLITE_ROW) {
    return fail(ErrorCode::kInternal, fmt::format("execute() got rows from {}", sql.text()));
  }
  if (result != SQLITE_DONE) return failed(result);
  return sqlite3_changes64(database_.get());
}

Result<Table> SqliteConnection::query(Sql sql, std::span<const Parameter> parameters, Access access) {
  start_clock();
  HF_TRY(sqlite3_stmt* const prepared, prepare(sql));
  const StatementUse statement(prepared);
  if (access == Access::kRead && sqlite3_stmt_readonly(prepared) == 0) {
    return fail(ErrorCode::kInternal, fmt::format("a snapshot can't write: {}", sql.text()));
  }
  HF_CHECK(bind(statement.get(), parameters));
  Table table;
  table.columns = static_cast<std::size_t>(sqlite3_column_count(statement.get()));
  std::size_t bytes = 0;
  for (std::int64_t rows = 0;; ++rows) {
    const int result = sqlite3_step(statement.get());
    if (result == SQLITE_DONE) return table;
    if (result != SQLITE_ROW) return failed(result);
    if (rows == kMaxRows) {
      return fail(
          ErrorCode::kLimitExceeded,
          fmt::format("a result has more than {} rows, ask for a part of it: {}", kMaxRows, sql.text()));
    }
    HF_CHECK(read_row(statement.get(), table, bytes));
  }
}

Result<> SqliteConnection::read_row(sqlite3_stmt* statement, Table& table, std::size_t& bytes) const {
  for (int i = 0; i < static_cast<int>(table.columns); ++i) {
    const int type = sqlite3_column_type(statement, i);
    if (type == SQLITE_NULL) {
      table.cells.emplace_back();
    } else if (type == SQLITE_INTEGER) {
      table.cells.emplace_back(static_cast<std::int64_t>(sqlite3_column_int64(statement, i)));
    } else if (type == SQLITE_TEXT || type == SQLITE_BLOB) {
      // The pointer before the size, as sqlite.org/c3ref/column_blob says.
      const void* data =
          type == SQLITE_TEXT ? sqlite3_column_text(statement, i) : sqlite3_column_blob(statement, i);
      const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, i));
      if (data == nullptr && size > 0) return failed(SQLITE_NOMEM);
      bytes += size;
      if (bytes > kMaxResultBytes) {
        return fail(ErrorCode::kLimitExceeded,
                    fmt::format("a result has more than {} bytes, ask for a part of it: {}", kMaxResultBytes,
                                sqlite3_sql(statement)));
      }
      const base::ByteView view(static_cast<const std::uint8_t*>(data), size);
      if (type == SQLITE_TEXT) {
        table.cells.emplace_back(std::string(base::as_text(view)));
      } else {
        table.cells.emplace_back(base::Bytes(view.begin(), view.end()));
      }
    } else {
      return fail(ErrorCode::kDataCorrupt,
                  fmt::format("the database {} holds a floating-point number, which this "
                              "program never writes",
                              options_.path.string()));
    }
  }
  return {};
}

Result<> SqliteConnection::run_script(Sql sql) {
  start_clock();
  const int result = sqlite3_exec(database_.get(), sql.text().data(), nullptr, nullptr, nullptr);
  if (result != SQLITE_OK) return failed(result);
  return {};
}

}  // namespace

Result<std::unique_ptr<Connection>> open_sqlite(const SqliteOptions& options) {
  auto connection = std::make_unique<SqliteConnection>(options);
  HF_CHECK(connection->open());
  return connection;
}

}  // namespace holdfast::store
