// Any bytes as htpasswd file: each line once at most, in order, and only hashes that may be tried.
#include "auth/htpasswd.h"

#include "auth/password.h"
#include "base/assert.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace berth::auth;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Htpasswd file = parse_htpasswd(text);
  std::set<std::size_t> lines;
  std::set<std::string_view> names;
  for (const HtpasswdUser& user : file.users) {
    BERTH_ASSERT(is_bcrypt(user.hash) && check_password_hash(user.hash).has_value(), "bcrypt of a bearable cost");
    BERTH_ASSERT(!user.name.empty() && !user.name.contains(':') && text.contains(user.name), "a name of the file");
    BERTH_ASSERT(names.insert(user.name).second, "each name once");
    BERTH_ASSERT(lines.insert(user.line).second, "each line once");
  }
  for (const HtpasswdProblem& problem : file.problems) {
    BERTH_ASSERT(!problem.message.empty() && lines.insert(problem.line).second, "each line once");
  }
  const auto line_count = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
  BERTH_ASSERT(lines.empty() || (*lines.begin() >= 1 && *lines.rbegin() <= line_count), "lines of the file");
  (void)check_password_hash(text);
  (void)needs_rehash(text);
  return 0;
}
