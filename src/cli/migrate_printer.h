#pragma once
// What `berth migrate distribution` says: what was skipped, the closing table, and both as JSON lines for --report.

#include "lifecycle/migrate_distribution.h"

#include <string>

namespace berth::cli {

/// One line, without its end; nothing in it that a terminal would obey.
std::string skip_text(const lifecycle::Skip& skip);
std::string skip_json(const lifecycle::Skip& skip);

struct MigrateMode {
  bool dry_run = false;
};
/// The table and what it comes to.
std::string migrate_summary_text(const lifecycle::MigrateReport& report, MigrateMode mode);
std::string migrate_summary_json(const lifecycle::MigrateReport& report, MigrateMode mode);
/// "blobs  1.2 GB of 3.4 GB  250 MB/s  9 s left".
std::string migrate_progress_text(const lifecycle::Progress& progress, std::int64_t elapsed_ms);

}  // namespace berth::cli
