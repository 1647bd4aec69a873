#pragma once
// Where blobs lie below the data folder, described in this one place:
//
//   uploads/<16 hex inc>                              open sessions, and committed blobs not yet placed
//   blobs/sha256/ab/<64 hex>.<16 hex inc>             one immutable file per (digest, incarnation)
//   blobs/sha512/ab/<128 hex>.<16 hex inc>
//   quarantine/sha256-<64 hex>.<16 hex inc>           files that failed a check
//
// Names are built from validated digests and our own numbers; nothing a client typed is ever part of one (S14).

#include "blob/blob_store.h"

#include <optional>
#include <string>

namespace berth::blob {

inline constexpr const char* kUploadsDir = "uploads";
inline constexpr const char* kQuarantineDir = "quarantine";

std::string inc_text(std::uint64_t inc);
std::optional<std::uint64_t> parse_inc(std::string_view text);
std::string staged_path(std::uint64_t inc);
std::string shard_dir(oci::Algorithm algorithm, unsigned shard);
std::string shard_dir(const BlobKey& key);
std::string final_path(const BlobKey& key);
std::string quarantine_path(const BlobKey& key);
/// Reads back a file name of a shard folder; nullopt for anything Berth would not have written.
std::optional<BlobKey> parse_final_name(oci::Algorithm algorithm, std::string_view name);

}  // namespace berth::blob
