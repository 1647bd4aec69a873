#pragma once
// Result<T>: a value or an Error, over std::expected; the class is [[nodiscard]] so that no failure is dropped unseen.
//
//   Result<Digest> parse(std::string_view text);
//   BERTH_TRY(auto digest, parse(text));          // returns the Error upwards
//   BERTH_CO_TRY(auto blob, co_await open(digest)); // the same inside a coroutine
//   BERTH_TRYV(check(digest));                    // for Result<void>

#include "base/error.h"

#include <expected>
#include <string>
#include <utility>

namespace berth {

template <class T>
class [[nodiscard]] Result : public std::expected<T, Error> {
 public:
  using Base = std::expected<T, Error>;
  using Base::Base;
  Result() = default;

  /// Prefixes the cause (for the log) with what was being done; leaves code and message alone.
  Result&& context(std::string_view doing) && {
    if (!this->has_value()) {
      std::string& cause = this->error().cause;
      cause = cause.empty() ? std::string(doing) : std::string(doing) + ": " + cause;
    }
    return std::move(*this);
  }
};

inline std::unexpected<Error> fail(Errc code, std::string message = {}, std::string cause = {}) {
  return std::unexpected<Error>(Error(code, std::move(message), std::move(cause)));
}
inline std::unexpected<Error> fail(Error error) { return std::unexpected<Error>(std::move(error)); }

}  // namespace berth

#define BERTH_CONCAT_(a, b) a##b
#define BERTH_CONCAT(a, b) BERTH_CONCAT_(a, b)
#define BERTH_TRY_(tmp, ret, decl, ...)                            \
  auto tmp = (__VA_ARGS__);                                        \
  if (!tmp.has_value()) ret ::berth::fail(std::move(tmp).error()); \
  decl = *std::move(tmp)
#define BERTH_TRYV_(tmp, ret, ...) \
  if (auto tmp = (__VA_ARGS__); !tmp.has_value()) ret ::berth::fail(std::move(tmp).error())

#define BERTH_TRY(decl, ...) BERTH_TRY_(BERTH_CONCAT(berth_try_, __LINE__), return, decl, __VA_ARGS__)
#define BERTH_CO_TRY(decl, ...) BERTH_TRY_(BERTH_CONCAT(berth_try_, __LINE__), co_return, decl, __VA_ARGS__)
#define BERTH_TRYV(...) BERTH_TRYV_(BERTH_CONCAT(berth_try_, __LINE__), return, __VA_ARGS__)
#define BERTH_CO_TRYV(...) BERTH_TRYV_(BERTH_CONCAT(berth_try_, __LINE__), co_return, __VA_ARGS__)
