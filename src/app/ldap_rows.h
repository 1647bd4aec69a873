#pragma once
// The settings of an LDAP directory.

#include "app/settings.h"

#include <vector>

namespace berth::app {

void add_ldap(std::vector<Setting>& out);

}  // namespace berth::app
