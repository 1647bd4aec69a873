#pragma once
// A namespace as a row, for the statements that select one.

#include "meta/namespaces.h"

namespace berth::meta {

/// Of a row that begins with id, name, kind, visibility, owner_id, display_name, version.
inline Namespace read_namespace(const sql::Row& row) {
  Namespace out;
  out.id = row.int64(0);
  out.name = row.text(1);
  out.kind = static_cast<NamespaceKind>(row.int64(2));
  out.visibility = static_cast<Visibility>(row.int64(3));
  if (!row.is_null(4)) out.owner = row.int64(4);
  out.display_name = row.text(5);
  out.version = row.int64(6);
  return out;
}

}  // namespace berth::meta
