#pragma once
// Where an administration command does its work: on a server over /api/v1, or on the data folder of a stopped one.

#include "app/offline_admin.h"
#include "base/json.h"
#include "client/registry.h"

#include <CLI/CLI.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace berth::cli {

struct AdminFlags {
  std::string server;  // "", "localhost:5000", "https://registry.example.com"
  std::string ca_file;
  std::string data;
  std::string format = "table";
};
/// --server, --ca-file, --data and --format.
void add_admin_flags(CLI::App& command, AdminFlags& flags);

class AdminClient {
 public:
  /// Errors: with a sentence for the person at the terminal.
  static Result<AdminClient> open(const AdminFlags& flags);

  /// The body of a success; null if it has none. Errors: what the problem document says.
  Result<json::Value> call(http::Method method, std::string path, std::string body = {}, std::string query = {});
  /// The same for an answer that is not JSON.
  Result<std::string> call_text(http::Method method, std::string path, std::string query = {});
  /// Every item of a list, page after page.
  Result<std::vector<json::Value>> list(const std::string& path);

 private:
  Result<api::AdminReply> ask(const api::AdminRequest& request);

  std::unique_ptr<app::OfflineAdmin> offline_;
  std::optional<client::RegistryAddress> server_;
  client::Credentials credentials_;
  std::string ca_file_;
};

/// docker's configuration, as the environment says where.
Result<client::DockerConfig> load_docker_config();
/// What proves who asks: the secret in $BERTH_TOKEN_FILE, else what was stored by a login. Errors: unauthorized, with
/// the command that helps.
Result<client::Credentials> credentials_for(const client::RegistryAddress& address);

/// A path segment as it is sent.
std::string segment(std::string_view text);

/// A member as text for a table: "" for null, "yes" and "no", numbers as they are, lists joined by commas.
std::string shown(const json::Value& object, std::string_view key);

struct Column {
  std::string title;
  std::string key;
};
/// Rows under titles, or with --format json one object a line.
void print_rows(const AdminFlags& flags, const std::vector<Column>& columns, const std::vector<json::Value>& rows);
void print_json(const json::Value& value);

}  // namespace berth::cli
