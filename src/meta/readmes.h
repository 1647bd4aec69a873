#pragma once
// What repositories say of themselves, in Markdown. Kept by the row of the repository: it goes along when that is
// called something else, and is removed with it.

#include "meta/ids.h"

#include <optional>
#include <string>

namespace berth::meta {

struct Readme {
  std::string text;
  std::int64_t version = 0;  // never one that another text of the repository had
};
Result<std::optional<Readme>> find_readme(sql::Connection& db, RepoId repo);
/// False if there was none before.
Result<bool> put_readme(sql::Connection& db, RepoId repo, std::string_view text, const Stamp& stamp);
/// False if there was none.
Result<bool> remove_readme(sql::Connection& db, RepoId repo);

}  // namespace berth::meta
