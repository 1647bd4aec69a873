#pragma once
// Where an administration command does its work: on a server over /api/v1, or on the data folder of a stopped one.

#include "app/offline_admin.h"
#include "base/json.h"
#include "cli/row_template.h"
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
  std::string user;
  std::string format = "table";  // json, or what RowTemplate reads
  bool dry_run = false;
  bool is_agreed = false;  // to what takes away more than a command brings back
};
/// --server, --ca-file, --data, --user and --format. $BERTH_SERVER counts as --server.
void add_admin_flags(CLI::App& command, AdminFlags& flags);
/// --dry-run, of what takes away or switches off.
void add_dry_run_flag(CLI::App& command, AdminFlags& flags);

/// --yes, and docker's --force: of what asks before it takes away more than a command brings back.
void add_agreement_flag(CLI::App& command, AdminFlags& flags);

/// The server that is meant; empty: the folder of a stopped one.
std::string server_of(const AdminFlags& flags);

class AdminClient {
 public:
  /// `create` is for the first account: what else is done to a folder that is not there is a slip in its name.
  /// Errors: with a sentence for the person at the terminal.
  static Result<AdminClient> open(const AdminFlags& flags, app::DataDir::Create create = app::DataDir::Create::never);
  /// Whether it works on the folder of a stopped server.
  bool is_offline() const { return offline_ != nullptr; }

  /// The body of a success; null if it has none. With --dry-run nothing is changed, and it tells what would be.
  /// Errors: what the problem document says.
  Result<json::Value> call(http::Method method, std::string path, std::string body = {}, std::string query = {});
  /// What it would take with it, as with --dry-run. Errors: likewise.
  Result<json::Value> rehearse(http::Method method, std::string path);
  /// The same for an answer that is not JSON.
  Result<std::string> call_text(http::Method method, std::string path, std::string query = {});
  /// Sends a text of that type. The body of a success is of no interest.
  Result<void> send_text(http::Method method, std::string path, std::string text, std::string content_type);
  /// The items of a list, page after page, until there are `limit` or no more.
  Result<std::vector<json::Value>> list(const std::string& path, const std::string& query = {},
                                        std::size_t limit = SIZE_MAX);

 private:
  Result<api::AdminReply> ask(const api::AdminRequest& request);

  std::unique_ptr<app::OfflineAdmin> offline_;
  std::optional<client::RegistryAddress> server_;
  client::Credentials credentials_;
  std::string ca_file_;
  bool is_dry_run_ = false;
};

/// docker's configuration, as the environment says where.
Result<client::DockerConfig> load_docker_config();
/// Where certificates are, as the environment says.
client::CaPlaces ca_places();
/// What proves who asks: the secret in $BERTH_TOKEN_FILE, else what was stored by a login. Errors: unauthorized, with
/// the command that helps.
Result<client::Credentials> credentials_for(const client::RegistryAddress& address);

/// Whether each part of a path is a name of something. Errors: parameter_invalid.
Result<void> check_path(std::string_view path);
/// A path segment as it is sent.
std::string segment(std::string_view text);

struct Column {
  std::string title;  // empty: for templates only, the table has no room for it
  std::string key;
};
std::vector<std::string> keys_of(const std::vector<Column>& columns);
/// Rows under titles, or as --format has it: one object a line, or one line each by a template.
/// Errors: parameter_invalid for a field that is no column's.
Result<void> print_rows(const AdminFlags& flags, const std::vector<Column>& columns,
                        const std::vector<json::Value>& rows);
/// One object, for --format json or a template. Errors: parameter_invalid for a field that is not in it.
Result<void> print_object(const AdminFlags& flags, const json::Value& object);
/// Whether the template, if --format is one, names none but these. To be asked before something is done whose answer
/// is shown once.
Result<void> check_format(const AdminFlags& flags, const std::vector<std::string>& keys);

}  // namespace berth::cli
