#include "content.h"

#include "distributions.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>

namespace berth::load {

namespace {

const std::string& pattern() {
  static const std::string kPattern = [] {
    Random random(0x6265727468);
    std::string made(Content::kBlock, '\0');
    for (std::size_t at = 0; at < made.size(); at += 8) {
      const std::uint64_t word = random.next();
      std::memcpy(made.data() + at, &word, 8);
    }
    return made;
  }();
  return kPattern;
}

// As long as `size` says: the note is filled up.
void append_config(std::string& to, std::uint64_t seed, std::uint64_t size) {
  const std::size_t end = to.size() + size;
  fmt::format_to(std::back_inserter(to),
                 R"({{"architecture":"amd64","os":"linux","rootfs":{{"type":"layers","diff_ids":[]}},"note":"{:016x})",
                 seed);
  constexpr std::string_view kClose = R"("})";
  to.append(end - kClose.size() - to.size(), '-');
  to += kClose;
}

}  // namespace

std::string_view Content::block(std::uint64_t index, std::string& block) const {
  if (is_config) {  // behind the pattern if it is there, which need not be made anew then
    const std::size_t start = block.size() < kBlock ? 0 : kBlock;
    block.resize(start);
    append_config(block, seed, size);
    return std::string_view(block).substr(start);
  }
  if (block.size() < kBlock) block = pattern();
  Random stamp(seed * 0x9e3779b97f4a7c15U + index);
  for (std::size_t at = 0; at < 32; at += 8) {
    const std::uint64_t word = stamp.next();
    std::memcpy(block.data() + at, &word, 8);
  }
  return std::string_view(block).substr(0, std::min(kBlock, size - index * kBlock));
}

std::string Content::bytes() const {
  std::string whole;
  whole.reserve(size);
  std::string buffer;
  for (std::uint64_t i = 0; i * kBlock < size; ++i) whole += block(i, buffer);
  return whole;
}

std::string Content::digest() const {
  Hasher hasher;
  std::string buffer;
  for (std::uint64_t i = 0; i * kBlock < size; ++i) hasher.add(block(i, buffer));
  return hasher.digest();
}

Hasher::Hasher() : context_(EVP_MD_CTX_new()) {
  EVP_DigestInit_ex(static_cast<EVP_MD_CTX*>(context_), EVP_sha256(), nullptr);
}
Hasher::~Hasher() { EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context_)); }
void Hasher::add(std::string_view bytes) {
  EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(context_), bytes.data(), bytes.size());
}

std::string Hasher::digest() {
  std::array<unsigned char, 32> raw;
  unsigned size = raw.size();
  EVP_DigestFinal_ex(static_cast<EVP_MD_CTX*>(context_), raw.data(), &size);
  EVP_DigestInit_ex(static_cast<EVP_MD_CTX*>(context_), EVP_sha256(), nullptr);
  std::string text = "sha256:";
  for (const unsigned char byte : raw) {
    text += "0123456789abcdef"[byte >> 4U];
    text += "0123456789abcdef"[byte & 15U];
  }
  return text;
}

std::string sha256_digest(std::string_view bytes) {
  Hasher hasher;
  hasher.add(bytes);
  return hasher.digest();
}

}  // namespace berth::load
