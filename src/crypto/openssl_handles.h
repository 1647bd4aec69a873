#pragma once
// Owners of OpenSSL's objects and the words of its errors: for the .cpp files of this room only.

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <ctime>
#include <memory>
#include <string>

namespace berth::crypto {

template <auto FreeIt>
struct Free {
  template <class T>
  void operator()(T* object) const {
    FreeIt(object);
  }
};
using BioHandle = std::unique_ptr<BIO, Free<BIO_free_all>>;
using KeyHandle = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;

inline std::string last_error() {
  const unsigned long code = ERR_peek_last_error();
  if (code == 0) return "unknown error";
  std::array<char, 256> text{};
  ERR_error_string_n(code, text.data(), text.size());
  return text.data();
}

/// Milliseconds since 1970; 0 for what is no time.
inline std::int64_t to_ms(const ASN1_TIME* time) {
  std::tm utc{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &utc) != 1) return 0;
  return static_cast<std::int64_t>(::timegm(&utc)) * 1000;
}

/// No terminal is asked for a password: a server starts without one.
inline int refuse_password(char*, int, int, void*) { return -1; }

}  // namespace berth::crypto
