#pragma once
// Settings of how people come to their accounts: by themselves, or through the identity provider that they sign in at.

#include "app/settings.h"

#include <vector>

namespace berth::app {

void add_oidc(std::vector<Setting>& out);

}  // namespace berth::app
