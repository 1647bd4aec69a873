#pragma once
// For this room only: the log a process finds when it opens a database for writing.
//
// A log that is there was left by a process that was killed, or that stopped because a sync had failed. In the second
// case, and in the first if the kernel could not write pages back meanwhile, Linux holds pages of the log that read
// well, are not on the disk, and count as clean: no sync will ever write them. SQLite would take their commits for good
// and append to them; a power cut would then cut the log before commits that were acknowledged with every sync
// successful. So the frames are written over themselves, which makes their pages dirty again, and synced: what is read
// from then on is what the disk holds. In place, since a full disk must not keep the registry from starting.

#include "base/result.h"

#include <sqlite3.h>

namespace berth::sql {

/// Makes the frames that SQLite reads from the log durable; nothing to do if there is no log. Nobody else may write.
/// Errors: io_failed, sync_failed, no_space, unavailable (somebody writes).
Result<void> renew_log(sqlite3* db);

}  // namespace berth::sql
