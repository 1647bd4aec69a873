#pragma once
// What `berth fsck` says: findings and the summary, for people and for scripts.

#include "lifecycle/fsck.h"

#include <string>

namespace berth::cli {

struct FsckMode {
  bool deep = false;
  bool repair = false;
};

/// One line, without its end; nothing in it that a terminal would obey.
std::string finding_text(const lifecycle::Finding& finding);
/// The table of phases and what it comes to.
std::string summary_text(const lifecycle::FsckReport& report, FsckMode mode);

/// One object on one line, without its end.
std::string finding_json(const lifecycle::Finding& finding);
std::string summary_json(const lifecycle::FsckReport& report, FsckMode mode);

}  // namespace berth::cli
