#include "auth/htpasswd.h"

#include "auth/password.h"

#include <algorithm>
#include <map>

namespace berth::auth {

namespace {

constexpr std::size_t kNameBytesMax = 255;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";  // of editors on Windows
constexpr std::string_view kBlanks = " \t\r";

std::string_view trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

/// The next line, cut off `text`.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

Result<void> check_name(std::string_view name) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  if (name.empty()) return fail(Errc::parameter_invalid, "the name is empty");
  if (name.size() > kNameBytesMax) return fail(Errc::parameter_invalid, "the name is longer than 255 bytes");
  if (std::ranges::any_of(name, is_control)) return fail(Errc::parameter_invalid, "the name has control characters");
  return {};
}

Result<HtpasswdUser> parse_line(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return fail(Errc::parameter_invalid, "not of the form name:hash");
  const std::string_view name = line.substr(0, colon);
  const std::string_view hash = line.substr(colon + 1);
  BERTH_TRYV(check_name(name));
  auto checked = check_password_hash(hash);
  if (checked.has_value() && !is_bcrypt(hash)) {
    checked = fail(Errc::parameter_invalid, "the scheme argon2id is not one of htpasswd files");
  }
  if (!checked.has_value()) return fail(Errc::parameter_invalid, std::string(name) + ": " + checked.error().message);
  return HtpasswdUser{.name = std::string(name), .hash = std::string(hash)};
}

}  // namespace

Htpasswd parse_htpasswd(std::string_view text) {
  Htpasswd out;
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::map<std::string, std::size_t> seen;  // name → line
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::string_view line = trim(take_line(text));
    if (line.empty() || line.starts_with('#')) continue;
    auto user = parse_line(line);
    if (!user.has_value()) {
      out.problems.push_back({number, std::move(user.error().message)});
      continue;
    }
    user->line = number;
    // Servers differ on which of two lines counts: that is for a person to decide.
    const auto [first, is_new] = seen.emplace(user->name, number);
    if (!is_new) {
      out.problems.push_back({number, user->name + ": is on line " + std::to_string(first->second) + " already"});
      continue;
    }
    out.users.push_back(*std::move(user));
  }
  return out;
}

}  // namespace berth::auth
