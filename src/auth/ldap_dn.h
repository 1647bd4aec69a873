#pragma once
// Distinguished names, as libldap reads them.

#include <optional>
#include <string>
#include <string_view>

namespace berth::auth {

/// Of "cn=Developers\, all,ou=groups,dc=acme" and "cn": "Developers, all". nullopt if it is no DN, or its first
/// component has no such attribute.
std::optional<std::string> first_value_of_dn(const std::string& dn, std::string_view attribute);

/// Whether that is below `base`, or is it; everything is below "". Attributes and values are compared without case, as
/// directories do with the names that trees are made of. False for what is no DN.
bool is_below_dn(const std::string& dn, const std::string& base);

bool is_dn(const std::string& text);

}  // namespace berth::auth
