#include "api/admin/fields.h"

#include "api/admin/document.h"
#include "base/nearest.h"

#include <algorithm>

namespace berth::api {

namespace {

/// Appends the value of a member, which `write` may have another idea of.
template <class Write>
std::string object_of(const json::Value& value, Write write) {
  JsonObject out;
  for (const auto& [name, member] : value.object()) {
    if (const auto text = write(name, member)) out.raw(name, *text);
  }
  return out.str();
}

std::string text_of(const json::Value& value) {
  std::string out;
  json::append(out, value);
  return out;
}

std::string trimmed(const json::Value& value, const std::vector<std::string>& fields) {
  return object_of(value, [&](const std::string& name, const json::Value& member) {
    const bool is_wanted = std::ranges::find(fields, name) != fields.end();
    return is_wanted ? std::optional(text_of(member)) : std::nullopt;
  });
}

std::string trimmed_items(const json::Value& page, const std::vector<std::string>& fields) {
  return object_of(page, [&](const std::string& name, const json::Value& member) {
    if (name != "items") return std::optional(text_of(member));
    std::string list = "[";
    for (const json::Value& item : member.array()) {
      if (list.size() > 1) list += ',';
      list += trimmed(item, fields);
    }
    return std::optional(list + "]");
  });
}

}  // namespace

Result<std::vector<std::string>> wanted_fields(const AdminCall& call) {
  std::vector<std::string> out;
  BERTH_TRY(const auto text, call.query.single("fields"));
  if (!text) return out;
  const std::vector<std::string>& known = members_of(call.operation);
  std::string_view rest = *text;
  for (bool is_last = false; !is_last;) {
    const std::size_t comma = rest.find(',');
    const std::string name(rest.substr(0, comma));
    is_last = comma == std::string_view::npos;
    rest = is_last ? std::string_view() : rest.substr(comma + 1);
    if (std::ranges::find(known, name) == known.end())
      return fail(Errc::parameter_invalid,
                  name.empty() ? "fields is a list of names with commas"
                               : "there is no field '" + name + "' here." + did_you_mean(nearest_of(known, name)));
    out.push_back(name);
  }
  return out;
}

void trim_to(const std::vector<std::string>& fields, AdminReply& reply) {
  if (fields.empty() || reply.body.empty()) return;
  const auto body = json::parse(reply.body);
  if (!body) return;  // of ours: it is JSON
  const bool is_page = body->find("items") != nullptr;
  reply.body = is_page ? trimmed_items(*body, fields) : trimmed(*body, fields);
}

}  // namespace berth::api
