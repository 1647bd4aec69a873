#include "sql/sqlite_log.h"

#include "sql/sqlite_error.h"

#include <algorithm>
#include <cerrno>
#include <span>
#include <vector>

namespace berth::sql {

namespace {

// https://www.sqlite.org/fileformat2.html#the_write_ahead_log
constexpr std::size_t kHeaderBytes = 32;
constexpr std::size_t kPageSizeAt = 8;
constexpr std::size_t kSaltAt = 16;
constexpr std::size_t kFrameHeaderBytes = 24;
constexpr std::size_t kFrameSaltAt = 8;
constexpr std::size_t kSaltBytes = 8;

using Bytes = std::vector<unsigned char>;

std::size_t page_bytes(const Bytes& header) {
  std::size_t out = 0;
  for (std::size_t i = 0; i < 4; ++i) out = out << 8 | header[kPageSizeAt + i];
  return out;
}

std::unexpected<Error> log_error(int code, std::string_view doing) {
  return sqlite_error(code, errno, "disk I/O error", doing);
}

class LogFile {
 public:
  explicit LogFile(sqlite3_file& file) : file_(file) {}

  /// False: the log ends before `to` is full.
  Result<bool> read(Bytes& to) {
    errno = 0;
    const int code = file_.pMethods->xRead(&file_, to.data(), static_cast<int>(to.size()), at_);
    if (code == SQLITE_IOERR_SHORT_READ) return false;
    if (code != SQLITE_OK) return log_error(code, "read the log");
    return true;
  }
  /// Writes back what was just read and goes on behind it.
  Result<void> write(const Bytes& from) {
    errno = 0;
    const int code = file_.pMethods->xWrite(&file_, from.data(), static_cast<int>(from.size()), at_);
    if (code != SQLITE_OK) return log_error(code, "write the log anew");
    at_ += static_cast<sqlite3_int64>(from.size());
    return {};
  }
  Result<void> sync() {
    errno = 0;
    const int code = file_.pMethods->xSync(&file_, SQLITE_SYNC_NORMAL);
    if (code != SQLITE_OK) return log_error(code, "sync the log");
    return {};
  }

 private:
  sqlite3_file& file_;
  sqlite3_int64 at_ = 0;
};

/// The first frame of an older log, whose file this one has taken over, ends it.
bool same_log(const Bytes& header, const Bytes& frame) {
  return std::ranges::equal(std::span(header).subspan(kSaltAt, kSaltBytes),
                            std::span(frame).subspan(kFrameSaltAt, kSaltBytes));
}

Result<void> rewrite(LogFile log) {
  Bytes header(kHeaderBytes);
  BERTH_TRY(const bool any, log.read(header));
  const std::size_t page = page_bytes(header);
  if (!any || page < 512 || page > 65'536) return {};  // no log, or none that SQLite would read
  BERTH_TRYV(log.write(header));
  for (Bytes frame(kFrameHeaderBytes + page);;) {
    BERTH_TRY(const bool whole, log.read(frame));
    if (!whole || !same_log(header, frame)) break;
    BERTH_TRYV(log.write(frame));
  }
  return log.sync();
}

}  // namespace

Result<void> renew_log(sqlite3* db) {
  errno = 0;
  // Opens the log and keeps every other writer away.
  if (sqlite3_exec(db, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr) != SQLITE_OK) {
    return sqlite_error(db, "BEGIN IMMEDIATE");
  }
  sqlite3_file* file = nullptr;
  sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file);
  Result<void> done;
  if (file != nullptr && file->pMethods != nullptr) done = rewrite(LogFile(*file));
  sqlite3_exec(db, "ROLLBACK", nullptr, nullptr, nullptr);
  return done;
}

}  // namespace berth::sql
