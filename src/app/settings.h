#pragma once
// The one table of what can be set: from it come the configuration file, the environment, the flags of `berth serve`,
// `berth config`, the reference in docs/ and the file in packaging/. A new setting is a row here and a field in
// config.h.

#include "app/config.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::app {

struct Setting {
  enum class Form : std::uint8_t { boolean, integer, size, duration, word, text, list };

  std::string key;   // "limits.manifest": section and name
  std::string flag;  // "--listen", "--limits-manifest"
  Form form = Form::text;
  std::string help;     // a sentence, without the default
  std::string allowed;  // "1 KiB to 64 MiB", "strict, sparse-index or sparse"; empty: see help
  bool reloadable = false;
  /// One text, of a list any number. Errors: parameter_invalid with a sentence.
  std::function<Result<void>(ServeConfig&, const std::vector<std::string>&)> set;
  /// What set() would read.
  std::function<std::vector<std::string>(const ServeConfig&)> get;

  /// "BERTH_LIMITS__MANIFEST".
  std::string variable() const;
};

const std::vector<Setting>& settings();
const Setting* find_setting(std::string_view key);

/// `value` as TOML writes it: true, 12, "64 MiB", ["a", "b"].
std::string toml_value(const Setting& setting, const std::vector<std::string>& value);

}  // namespace berth::app
