#include "app/external_keys.h"

#include "auth/issuer_keys.h"
#include "crypto/key_bundle.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

namespace berth::app {

namespace {

constexpr std::streamsize kFileBytesMax = 1024 * 1024;

Result<std::string> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text(static_cast<std::size_t>(kFileBytesMax) + 1, '\0');
  if (!in || !in.read(text.data(), kFileBytesMax + 1).eof())
    return fail(Errc::parameter_invalid, in ? "it is longer than 1 MiB" : std::strerror(errno));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

Result<std::vector<crypto::VerifyKey>> load(const std::string& path) {
  BERTH_TRY(const std::string text, read_file(path));
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  const bool is_json = first != std::string::npos && text[first] == '{';
  return is_json ? auth::parse_jwks(text) : crypto::parse_key_bundle(text);
}

}  // namespace

Result<std::vector<crypto::VerifyKey>> load_external_keys(const std::vector<std::string>& paths) {
  std::vector<crypto::VerifyKey> out;
  for (const std::string& path : paths) {
    auto keys = load(path);
    if (!keys) {
      return fail(Errc::parameter_invalid, "auth.external_keys: " + path + ": " + keys.error().message,
                  keys.error().cause);
    }
    out.insert(out.end(), keys->begin(), keys->end());
  }
  return out;
}

}  // namespace berth::app
