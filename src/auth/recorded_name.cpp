#include "auth/recorded_name.h"

#include "auth/accounts.h"
#include "auth/secret.h"

namespace berth::auth {

std::string recorded_name(std::string_view typed) {
  const bool is_name = !parse_secret(typed) && check_robot_name(typed).has_value();
  return is_name ? std::string(typed) : "(no account's name)";
}

}  // namespace berth::auth
