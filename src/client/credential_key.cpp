#include "client/credential_key.h"

#include "base/base64.h"
#include "base/json.h"
#include "base/json_text.h"
#include "client/private_file.h"
#include "io/owner_file.h"

#include <sodium.h>

#include <algorithm>
#include <filesystem>

namespace berth::client {

namespace {

namespace fs = std::filesystem;

static_assert(crypto_secretbox_KEYBYTES == 32);

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());  // the library's type
}

std::optional<std::string> sealed_part(std::string_view text) {
  const auto root = json::parse(text);
  if (!root || root->find("sealed") == nullptr) return std::nullopt;
  return root->text("sealed");
}

/// Two programs may want the first key at once: a link is made for one of them only, and of a whole file.
Result<void> make_key(const std::string& path) {
  std::error_code error;
  if (const auto folder = fs::path(path).parent_path(); !folder.empty()) fs::create_directories(folder, error);
  std::string key(crypto_secretbox_KEYBYTES, '\0');
  randombytes_buf(key.data(), key.size());
  const std::string draft = path + "." + std::to_string(randombytes_random());
  BERTH_TRYV(io::replace_owner_file(draft, encode_base64(key) + "\n"));
  fs::create_hard_link(draft, path, error);
  const bool is_there = !error || error == std::errc::file_exists;
  std::error_code ignored;
  fs::remove(draft, ignored);
  if (!is_there) return fail(Errc::io_failed, "cannot make the key " + path + ": " + error.message());
  return io::sync_folder(fs::absolute(path).parent_path());
}

}  // namespace

Result<CredentialKey> CredentialKey::load(const std::string& path, Missing missing) {
  if (sodium_init() < 0) return fail(Errc::internal, "the encryption library does not start");
  using fs::perms;
  std::error_code error;
  if (const auto found = fs::status(path, error); found.type() == fs::file_type::not_found) {
    if (missing == Missing::refuse) {
      return fail(Errc::parameter_invalid, "the credentials are encrypted, and their key is not there: " + path);
    }
    BERTH_TRYV(make_key(path));
  } else if ((found.permissions() & (perms::group_all | perms::others_all)) != perms::none) {
    return fail(Errc::parameter_invalid, "others may read the key in " + path + ": chmod 600 " + path);
  }
  std::string text = read_private_file(path);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  const auto key = decode_base64(text);
  if (!key || key->size() != kBytes) {
    return fail(Errc::parameter_invalid, path + " holds no key, which is 32 bytes in Base64");
  }
  CredentialKey out;
  std::ranges::copy(*key, out.key_.begin());
  return out;
}

std::string CredentialKey::seal(std::string_view text) const {
  std::string box(crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + text.size(), '\0');
  auto* nonce = reinterpret_cast<unsigned char*>(box.data());
  randombytes_buf(nonce, crypto_secretbox_NONCEBYTES);
  crypto_secretbox_easy(nonce + crypto_secretbox_NONCEBYTES, bytes_of(text), text.size(), nonce, key_.data());
  return "{\"sealed\":" + json_string(encode_base64(box)) + "}\n";
}

bool is_sealed(std::string_view text) { return sealed_part(text).has_value(); }

Result<std::string> unsealed(std::string_view text, const CredentialKey* key) {
  const auto sealed = sealed_part(text);
  if (!sealed) return std::string(text);
  if (key == nullptr) {
    return fail(Errc::parameter_invalid,
                "the credentials are encrypted: set BERTH_CREDENTIALS_KEY_FILE to the file of their key");
  }
  constexpr std::size_t kAhead = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES;
  const auto box = decode_base64(*sealed);
  const std::string_view given = box ? std::string_view(*box) : std::string_view();
  std::string out(given.size() > kAhead ? given.size() - kAhead : 0, '\0');
  if (given.size() < kAhead ||
      crypto_secretbox_open_easy(reinterpret_cast<unsigned char*>(out.data()),
                                 bytes_of(given) + crypto_secretbox_NONCEBYTES,
                                 given.size() - crypto_secretbox_NONCEBYTES, bytes_of(given), key->key_.data()) != 0) {
    return fail(
        Errc::parameter_invalid,
        "the credentials cannot be decrypted: BERTH_CREDENTIALS_KEY_FILE names another key, or they were changed");
  }
  return out;
}

}  // namespace berth::client
