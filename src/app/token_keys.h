#pragma once
// The keys of the token service, in the folder keys/ of the data folder: a file each, named by when it was made, mode
// 0600. The newest signs. Older ones are kept for what they signed, and removed when nothing of that can be valid.

#include "base/clock.h"
#include "crypto/signing_key.h"
#include "meta/store.h"

#include <string>
#include <vector>

namespace berth::app {

/// The newest first; one is made if there is none. Errors: io_failed, with a sentence; unavailable for a file that is
/// no key, or that others may read.
Result<std::vector<crypto::SigningKey>> load_token_keys(const std::string& data_path, const Clock& clock);
/// Makes a new key, which signs from the next load on, and removes those that were replaced before `keep_ms` ago.
Result<std::string> rotate_token_keys(const std::string& data_path, const Clock& clock, std::int64_t keep_ms);
/// Writes into the audit log that they are others than when this was last called, whoever made them; the first time
/// there is nothing to compare them with. Blocks.
Result<void> record_token_keys(meta::Store& store, const std::vector<crypto::SigningKey>& keys, const Clock& clock);

}  // namespace berth::app
