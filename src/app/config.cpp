#include "app/config.h"

#include <arpa/inet.h>
#include <unistd.h>

#include <charconv>

namespace berth::app {

namespace {

Result<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, port);
  if (text.empty() || error != std::errc{} || at != end) {
    return fail(Errc::parameter_invalid, "'" + std::string(text) + "' is not a port number (0 to 65535)");
  }
  return port;
}

}  // namespace

Result<ListenAddress> parse_listen(std::string_view text) {
  // The address functions below read C strings: they would see only what stands before a NUL.
  if (text.contains('\0')) return fail(Errc::parameter_invalid, "a listen address holds no NUL");
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return fail(Errc::parameter_invalid,
                "listen address '" + std::string(text) + "' must be HOST:PORT, for example 127.0.0.1:5000");
  }
  BERTH_TRY(const std::uint16_t port, parse_port(text.substr(colon + 1)));
  std::string_view host = text.substr(0, colon);
  if (host.empty()) return ListenAddress{"0.0.0.0", port};
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  std::string name(host);
  in6_addr v6{};
  in_addr v4{};
  const bool valid = bracketed ? ::inet_pton(AF_INET6, name.c_str(), &v6) == 1
                               : name == "localhost" || ::inet_pton(AF_INET, name.c_str(), &v4) == 1;
  if (!valid) {
    return fail(Errc::parameter_invalid,
                "'" + name + "' is not an address to listen on; give an IPv4 address, [IPv6] or localhost");
  }
  return ListenAddress{std::move(name), port};
}

bool is_loopback(const ListenAddress& address) {
  if (address.host == "localhost" || address.host == "::1") return true;
  in_addr v4{};
  return ::inet_pton(AF_INET, address.host.c_str(), &v4) == 1 && (ntohl(v4.s_addr) >> 24) == 127;
}

Result<registry::ReferencePolicy> parse_reference_policy(std::string_view text) {
  if (text == "strict") return registry::ReferencePolicy::strict;
  if (text == "sparse-index") return registry::ReferencePolicy::sparse_index;
  if (text == "sparse") return registry::ReferencePolicy::sparse;
  return fail(Errc::parameter_invalid, "reference policy must be strict, sparse-index or sparse");
}

Result<api::Anonymous> parse_anonymous(std::string_view text) {
  if (text == "off") return api::Anonymous::off;
  if (text == "read") return api::Anonymous::read;
  if (text == "write") return api::Anonymous::write;
  return fail(Errc::parameter_invalid, "anonymous must be off, read or write");
}

Result<api::Deletes> parse_deletes(std::string_view text) {
  if (text == "on") return api::Deletes::on;
  if (text == "off") return api::Deletes::off;
  return fail(Errc::parameter_invalid, "deletes must be on or off");
}

Result<LogFormat> parse_log_format(std::string_view text) {
  if (text == "json") return LogFormat::json;
  if (text == "text") return LogFormat::text;
  if (text == "auto") return ::isatty(STDERR_FILENO) == 1 ? LogFormat::text : LogFormat::json;
  return fail(Errc::parameter_invalid, "log format must be json, text or auto");
}

Result<api::AccessLog> parse_access_log(std::string_view text) {
  if (text == "all") return api::AccessLog::all;
  if (text == "errors") return api::AccessLog::errors;
  if (text == "off") return api::AccessLog::off;
  return fail(Errc::parameter_invalid, "access log must be all, errors or off");
}

Result<LogLevel> parse_log_level(std::string_view text) {
  if (text == "debug") return LogLevel::debug;
  if (text == "info") return LogLevel::info;
  if (text == "warn") return LogLevel::warn;
  if (text == "error") return LogLevel::error;
  if (text == "off") return LogLevel::off;
  return fail(Errc::parameter_invalid, "log level must be debug, info, warn, error or off");
}

Result<void> validate(const ServeConfig& config) {
  if (config.data_dir.empty()) return fail(Errc::parameter_invalid, "no data folder given");
  if (config.anonymous || is_loopback(config.listen)) return {};
  return fail(Errc::parameter_invalid,
              "refusing to listen on " + config.listen.host +
                  ": no account exists, so anybody who reaches this address could push and pull. "
                  "Create an account with 'berth user add --admin NAME', or give --anonymous=read or --anonymous=write "
                  "on purpose.");
}

}  // namespace berth::app
