#include "app/token_keys.h"

#include "app/data_dir.h"
#include "base/json_text.h"
#include "io/owner_file.h"
#include "meta/audit.h"
#include "meta/settings.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace berth::app {

namespace {

namespace fs = std::filesystem;

constexpr const char* kKnownKey = "token_keys";  // the thumbprints, the signing one first, with spaces between

std::string folder_of(const std::string& data_path) { return data_path + "/keys"; }

struct KeyFile {
  std::int64_t made_ms = 0;
  std::string path;
};

/// Newest first.
Result<std::vector<KeyFile>> list_keys(const std::string& folder) {
  std::vector<KeyFile> out;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    KeyFile file{0, entry->path().string()};
    const auto [end, bad] = std::from_chars(name.data(), name.data() + name.size(), file.made_ms);
    if (bad == std::errc{} && std::string_view(end, name.data() + name.size()) == ".pem")
      out.push_back(std::move(file));
  }
  if (error) return fail(Errc::io_failed, "cannot read " + folder + ": " + error.message());
  std::ranges::sort(out, std::ranges::greater{}, &KeyFile::made_ms);
  return out;
}

Result<crypto::SigningKey> read_key(const std::string& path) {
  std::error_code error;
  const fs::perms mode = fs::status(path, error).permissions();
  if (error) return fail(Errc::io_failed, "cannot read " + path + ": " + error.message());
  if ((mode & (fs::perms::group_all | fs::perms::others_all)) != fs::perms::none) {
    return fail(Errc::unavailable, "others may read " + path +
                                       ", which signs the tokens of every account; remove it, and a new one is made");
  }
  std::ifstream in(path, std::ios::binary);
  const std::string pem{std::istreambuf_iterator<char>(in), {}};
  auto key = crypto::SigningKey::from_pem(pem);
  if (!key) return fail(Errc::unavailable, path + " is not a key: " + key.error().message);
  return key;
}

Result<std::string> add_key(const std::string& folder, std::int64_t now_ms) {
  std::error_code error;
  fs::create_directory(folder, error);
  if (!error) fs::permissions(folder, fs::perms::owner_all, error);
  if (error) return fail(Errc::io_failed, "cannot create " + folder + ": " + error.message());
  BERTH_TRYV(io::sync_folder(fs::path(folder).parent_path().string()));
  const auto key = crypto::SigningKey::generate();
  BERTH_TRYV(io::replace_owner_file(folder + "/" + std::to_string(now_ms) + ".pem", key.to_pem()));
  return key.kid();
}

}  // namespace

Result<std::vector<crypto::SigningKey>> load_token_keys(const std::string& data_path, const Clock& clock) {
  const std::string folder = folder_of(data_path);
  std::error_code error;
  std::vector<KeyFile> files;
  if (fs::exists(folder, error)) {
    BERTH_TRY(files, list_keys(folder));
  }
  if (files.empty()) {
    BERTH_TRYV(add_key(folder, clock.now_ms()));
    BERTH_TRY(files, list_keys(folder));
  }
  std::vector<crypto::SigningKey> out;
  for (const KeyFile& file : files) {
    BERTH_TRY(auto key, read_key(file.path));
    out.push_back(std::move(key));
  }
  return out;
}

Result<std::string> rotate_token_keys(const std::string& data_path, const Clock& clock, std::int64_t keep_ms) {
  const std::string folder = folder_of(data_path);
  std::error_code error;
  std::vector<KeyFile> before;
  if (fs::exists(folder, error)) {
    BERTH_TRY(before, list_keys(folder));
  }
  const std::int64_t now_ms = std::max(clock.now_ms(), before.empty() ? 0 : before.front().made_ms + 1);
  BERTH_TRY(auto kid, add_key(folder, now_ms));
  // A key was replaced when the next one was made.
  for (std::size_t i = 1; i < before.size(); ++i) {
    if (before[i - 1].made_ms + keep_ms < now_ms) ::unlink(before[i].path.c_str());
  }
  return kid;
}

Result<void> record_token_keys(meta::Store& store, const std::vector<crypto::SigningKey>& keys, const Clock& clock) {
  std::string kids;
  for (const crypto::SigningKey& key : keys) kids += (kids.empty() ? "" : " ") + key.kid();
  BERTH_TRY(const auto known, store.peek([](sql::Connection& db) { return meta::get_setting(db, kKnownKey); }));
  if (known == kids) return {};
  meta::AuditEntry entry;
  entry.at_ms = clock.now_ms();
  entry.actor = kFolderOwner;
  entry.action = "keys.rotated";
  entry.target = "keys";
  entry.rule = "owner of the data folder";
  entry.detail = "{\"signing\":" + json_string(keys.front().kid()) + ",\"keys\":" + std::to_string(keys.size()) + "}";
  return store.write_blocking(
      [&](sql::Connection& db) -> Result<void> {
        BERTH_TRYV(meta::put_setting(db, kKnownKey, kids));
        if (!known) return {};
        return meta::append_audit(db, entry);
      },
      {.touches = meta::Touches::nothing()});
}

}  // namespace berth::app
