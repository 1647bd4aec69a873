#include "cli/admin_client.h"

#include "app/environment.h"
#include "cli/serve_flags.h"
#include "http/target.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <ranges>
#include <utility>

namespace berth::cli {

namespace {

using Kind = json::Value::Kind;

constexpr std::string_view kTable = "table";
constexpr std::string_view kJson = "json";

std::string word_of(http::Method method) {
  switch (method) {
    case http::Method::post: return "POST";
    case http::Method::put: return "PUT";
    case http::Method::patch: return "PATCH";
    case http::Method::delete_: return "DELETE";
    default: return "GET";
  }
}

/// The one of that word, as a problem document has it.
Errc code_of(std::string_view word) {
  for (int i = 0; i < static_cast<int>(Errc::internal); ++i) {
    if (to_string(static_cast<Errc>(i)) == word) return static_cast<Errc>(i);
  }
  return Errc::denied;
}

/// The answer to a request that failed, as an error with its detail.
Error error_of(const api::AdminReply& reply) {
  const auto problem = json::parse(reply.body);
  const json::Value* detail = problem ? problem->find("detail") : nullptr;
  const json::Value* word = problem ? problem->find("code") : nullptr;
  return Error(code_of(word != nullptr ? word->string() : ""),
               detail != nullptr ? detail->string() : "the registry answered " + std::to_string(reply.status));
}

void warn_if_open(const std::string& path) {
  std::error_code error;
  const auto others = std::filesystem::perms::group_read | std::filesystem::perms::others_read;
  const auto mode = std::filesystem::status(path, error).permissions();
  if (error || (mode & others) == std::filesystem::perms::none) return;
  std::fprintf(stderr, "berth: warning: others on this machine can read %s: chmod 600 it\n", path.c_str());
}

std::string secret_file() { return app::environment("BERTH_TOKEN_FILE"); }

/// What is wrong with it, for CLI11; empty: nothing.
std::string check_format_flag(const std::string& text) {
  if (text == kTable || text == kJson) return {};
  const auto parsed = RowTemplate::parse(text);
  return parsed ? std::string() : parsed.error().message;
}

void print_json(const json::Value& value) {
  std::string text;
  json::append(text, value);
  std::puts(text.c_str());
}

void print_table(const std::vector<Column>& columns, const std::vector<json::Value>& rows) {
  std::vector<std::vector<std::string>> cells(1);
  for (const Column& column : columns) {
    if (!column.title.empty()) cells.front().push_back(column.title);
  }
  for (const json::Value& row : rows) {
    std::vector<std::string>& line = cells.emplace_back();
    for (const Column& column : columns) {
      if (!column.title.empty()) line.push_back(shown(row, column.key));
    }
  }
  std::vector<std::size_t> widths(cells.front().size(), 0);
  for (const auto& line : cells) {
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  }
  for (const auto& line : cells) {
    std::string text;
    for (std::size_t i = 0; i < line.size(); ++i) {
      text += line[i];
      if (i + 1 < line.size()) text.append(widths[i] - line[i].size() + 3, ' ');
    }
    std::puts(text.c_str());
  }
}

}  // namespace

void add_admin_flags(CLI::App& command, AdminFlags& flags) {
  command.add_option("--server", flags.server,
                     "The registry to administer (default: $BERTH_SERVER), after berth login");
  command.add_option("--ca-file", flags.ca_file, "Certificates of the server to trust instead of the system's");
  command.add_option("--data", flags.data, "The data folder of a stopped registry (default: the one of serve)")
      ->excludes("--server");
  command.add_option("--user", flags.user, "On a stopped registry's folder: as this user, for what is a user's own")
      ->excludes("--server");
  command
      .add_option("--format", flags.format,
                  "How to print: table, json (an object a line), or a text with fields as '{{.Name}}\\t{{.CreatedAt}}'")
      ->check(check_format_flag)
      ->capture_default_str();
}

void add_dry_run_flag(CLI::App& command, AdminFlags& flags) {
  command.add_flag("--dry-run", flags.dry_run, "Check it, tell what would go with it, and change nothing");
}

void add_agreement_flag(CLI::App& command, AdminFlags& flags) {
  command.add_flag("-y,--yes,-f,--force", flags.is_agreed, "Do not ask; needed where there is nobody to ask");
}

Result<client::DockerConfig> load_docker_config() {
  // In the order that podman, skopeo and buildah look.
  std::vector<std::string> others;
  if (const std::string file = app::environment("REGISTRY_AUTH_FILE"); !file.empty()) others.push_back(file);
  if (const std::string folder = app::environment("XDG_RUNTIME_DIR"); !folder.empty())
    others.push_back(folder + "/containers/auth.json");
  others.push_back(app::environment("HOME") + "/.config/containers/auth.json");
  return client::DockerConfig::load(app::environment("DOCKER_CONFIG"), app::environment("HOME"), std::move(others));
}

client::CaPlaces ca_places() { return {app::environment("HOME"), app::environment("SSL_CERT_FILE")}; }

Result<client::Credentials> credentials_for(const client::RegistryAddress& address) {
  if (const std::string path = secret_file(); !path.empty()) {
    std::ifstream in(path);
    client::Credentials out{.user = "token", .secret = {}, .is_identity_token = false};
    if (!std::getline(in, out.secret) || out.are_nobodys())
      return fail(Errc::unauthorized, "there is no token in " + path);
    warn_if_open(path);
    return out;
  }
  BERTH_TRY(const auto config, load_docker_config());
  BERTH_TRY(auto found, config.find(address.host));
  if (!found)
    return fail(Errc::unauthorized, "you are not signed in to " + address.host + ": berth login " + address.host);
  return *std::move(found);
}

std::string server_of(const AdminFlags& flags) {
  return flags.server.empty() && flags.data.empty() ? app::environment("BERTH_SERVER") : flags.server;
}

Result<AdminClient> AdminClient::open(const AdminFlags& flags, app::DataDir::Create create) {
  if (const std::string server = server_of(flags); !server.empty()) {
    if (!flags.user.empty())
      return fail(Errc::parameter_invalid, "--user is for the folder of a stopped registry; a server wants a login");
    AdminClient remote;
    remote.is_dry_run_ = flags.dry_run;
    remote.ca_file_ =
        flags.ca_file.empty() ? client::ca_file_of(client::config_key(server), ca_places()) : flags.ca_file;
    BERTH_TRY(remote.server_, client::find_registry(server, remote.ca_file_));
    BERTH_TRY(remote.credentials_, credentials_for(*remote.server_));
    return remote;
  }
  if (!flags.ca_file.empty())
    return fail(Errc::parameter_invalid, "--ca-file is for a server; say which with --server, or in $BERTH_SERVER");
  const Result<std::string> folder = flags.data.empty() ? configured_data_dir() : flags.data;
  if (!folder) return fail(Error(folder.error()));
  AdminClient out;
  out.is_dry_run_ = flags.dry_run;
  auto opened = app::OfflineAdmin::open(*folder, {.create = create, .user = flags.user});
  if (!opened && opened.error().code == Errc::busy) {
    return fail(Error(Errc::busy, "the registry of " + *folder + " is running (pid " +
                                      std::to_string(opened.error().number) +
                                      "); stop it first, or go through it with --server"));
  }
  BERTH_TRY(out.offline_, std::move(opened));
  return out;
}

Result<api::AdminReply> AdminClient::ask(const api::AdminRequest& request) {
  BERTH_TRYV(check_path(request.path));
  if (offline_) return offline_->call(request);
  http::FetchRequest out;
  out.method = word_of(request.method);
  out.url = server_->base + "/api/v1/" + request.path + (request.query.empty() ? "" : "?" + request.query);
  out.ca_file = ca_file_;
  out.body = request.body;
  const std::string type = request.content_type.empty() ? "application/json" : request.content_type;
  if (!request.body.empty()) out.headers.emplace_back("Content-Type", type);
  if (credentials_.is_identity_token) {
    out.headers.emplace_back("Authorization", "Bearer " + credentials_.secret);
  } else {
    out.user = credentials_.user;
    out.secret = credentials_.secret;
  }
  BERTH_TRY(auto answered, client::ask_registry(out));
  api::AdminReply reply;
  reply.status = answered.status;
  reply.body = std::move(answered.body);
  const auto problem = json::parse(reply.succeeded() ? "{}" : reply.body);
  if (problem && problem->text("code") == to_string(Errc::unauthorized) && !secret_file().empty()) {
    return fail(Errc::unauthorized, "the secret in " + secret_file() + " is not valid any more, or mistyped",
                error_of(reply).message);
  }
  if (problem && problem->text("code") == to_string(Errc::unauthorized)) {
    return fail(Errc::unauthorized, error_of(reply).message + ": berth login " + server_->host);
  }
  return reply;
}

Result<json::Value> AdminClient::call(http::Method method, std::string path, std::string body, std::string query) {
  api::AdminRequest request;
  request.method = method;
  request.path = std::move(path);
  request.query = std::move(query);
  if (is_dry_run_ && method != http::Method::get) request.query += "dry_run=true";  // what changes has no other
  request.body = std::move(body);
  BERTH_TRY(const api::AdminReply reply, ask(request));
  if (!reply.succeeded()) return fail(error_of(reply));
  return json::parse(reply.body.empty() ? "null" : reply.body);
}

Result<json::Value> AdminClient::rehearse(http::Method method, std::string path) {
  const bool was_dry_run = std::exchange(is_dry_run_, true);
  auto answer = call(method, std::move(path));
  is_dry_run_ = was_dry_run;
  return answer;
}

Result<std::string> AdminClient::call_text(http::Method method, std::string path, std::string query) {
  api::AdminRequest request;
  request.method = method;
  request.path = std::move(path);
  request.query = std::move(query);
  BERTH_TRY(api::AdminReply reply, ask(request));
  if (!reply.succeeded()) return fail(error_of(reply));
  return std::move(reply.body);
}

Result<void> AdminClient::send_text(http::Method method, std::string path, std::string text, std::string content_type) {
  api::AdminRequest request;
  request.method = method;
  request.path = std::move(path);
  request.body = std::move(text);
  request.content_type = std::move(content_type);
  BERTH_TRY(const api::AdminReply reply, ask(request));
  if (!reply.succeeded()) return fail(error_of(reply));
  return {};
}

Result<std::vector<json::Value>> AdminClient::list(const std::string& path, const std::string& query,
                                                   std::size_t limit) {
  constexpr std::size_t kPageMax = 500;
  std::vector<json::Value> out;
  std::string cursor;
  for (;;) {
    std::string wanted = "limit=" + std::to_string(std::min(limit - out.size(), kPageMax));
    if (!query.empty()) wanted += "&" + query;
    if (!cursor.empty()) wanted += "&cursor=" + cursor;
    BERTH_TRY(const auto page, call(http::Method::get, path, {}, wanted));
    const json::Value* items = page.find("items");
    const json::Value* next = page.find("next");
    if (items != nullptr) out.insert(out.end(), items->array().begin(), items->array().end());
    // A page may be empty and not the last: a server looks at so many rows at once, whether they are wanted or not.
    if (out.size() >= limit || next == nullptr || !next->is(Kind::string)) return out;
    cursor = next->string();
  }
}

// libcurl goes a step up for "..", from orgs/acme/teams/../members/bob to another call.
Result<void> check_path(std::string_view path) {
  for (const auto part : path | std::views::split('/')) {
    const std::string_view name(part.begin(), part.end());
    if (name.empty() || name == "." || name == "..")
      return fail(Errc::parameter_invalid, "'" + std::string(name) + "' is nobody's name, and nothing's");
  }
  return {};
}

std::string segment(std::string_view text) { return http::percent_encode(text); }

std::vector<std::string> keys_of(const std::vector<Column>& columns) {
  std::vector<std::string> out;
  out.reserve(columns.size());
  for (const Column& column : columns) out.push_back(column.key);
  return out;
}

Result<void> check_format(const AdminFlags& flags, const std::vector<std::string>& keys) {
  if (flags.format == kTable || flags.format == kJson) return {};
  BERTH_TRY(const auto format, RowTemplate::parse(flags.format));
  return format.check(keys);
}

Result<void> print_object(const AdminFlags& flags, const json::Value& object) {
  if (flags.format == kJson) {
    print_json(object);
    return {};
  }
  BERTH_TRY(const auto format, RowTemplate::parse(flags.format));
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.object()) keys.push_back(key);
  BERTH_TRYV(format.check(keys));
  std::puts(format.render(object).c_str());
  return {};
}

Result<void> print_rows(const AdminFlags& flags, const std::vector<Column>& columns,
                        const std::vector<json::Value>& rows) {
  if (flags.format == kTable) {
    print_table(columns, rows);
    return {};
  }
  if (flags.format == kJson) {
    for (const json::Value& row : rows) print_json(row);
    return {};
  }
  BERTH_TRY(const auto format, RowTemplate::parse(flags.format));
  BERTH_TRYV(format.check(keys_of(columns)));
  for (const json::Value& row : rows) std::puts(format.render(row).c_str());
  return {};
}

}  // namespace berth::cli
