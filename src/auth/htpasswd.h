#pragma once
// Users of another registry, from its htpasswd file. Only bcrypt is taken over, as distribution does.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace berth::auth {

struct HtpasswdUser {
  std::size_t line = 0;  // from 1
  std::string name;      // 1 to 255 bytes without colon and control characters; not yet a legal account name
  std::string hash;      // passes check_password_hash
};

struct HtpasswdProblem {
  std::size_t line = 0;
  std::string message;  // names the user where there is one, never the hash
};

struct Htpasswd {
  std::vector<HtpasswdUser> users;  // in the order of the lines; each name once
  std::vector<HtpasswdProblem> problems;
};

/// Lines "name:hash"; empty ones and those that begin with # are skipped. Every other line ends up in one of the lists.
Htpasswd parse_htpasswd(std::string_view text);

}  // namespace berth::auth
