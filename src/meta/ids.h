#pragma once
// Row ids, and who acts. Plain integers with names, so that a signature tells them apart for the reader.

#include "sql/connection.h"

#include <cstdint>
#include <optional>

namespace berth::meta {

using RepoId = std::int64_t;
using BlobId = std::int64_t;
using ManifestId = std::int64_t;
using NamespaceId = std::int64_t;
using PrincipalId = std::int64_t;
using GrantId = std::int64_t;
using TokenId = std::int64_t;
using TrustRuleId = std::int64_t;

/// Which way a list goes on from where it begins: a list that goes down begins beyond the last.
enum class Order : std::uint8_t { up, down };

/// Who makes a change and when. `principal` is empty for anonymous callers.
struct Stamp {
  std::int64_t at_ms = 0;
  std::optional<std::int64_t> principal;
};

inline sql::Bind bind_optional(const std::optional<std::int64_t>& value) {
  return value ? sql::Bind(*value) : sql::Bind(nullptr);
}

}  // namespace berth::meta
