#include "app/config_load.h"

#include "app/config_file.h"
#include "app/data_dir.h"
#include "base/nearest.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

extern char** environ;

namespace berth::app {

namespace {

using Form = Setting::Form;

constexpr std::string_view kPrefix = "BERTH_";
constexpr std::uintmax_t kFileBytesMax = 1024 * 1024;

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    std::string_view part = text.substr(0, comma);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    if (!part.empty()) out.emplace_back(part);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  }
  return out;
}

std::string nearest_key(std::string_view meant) {
  std::vector<std::string> keys;
  for (const Setting& setting : settings()) keys.push_back(setting.key);
  if (std::string near = nearest_of(keys, meant); !near.empty()) return near;
  // The right name in the wrong section, or in none.
  const std::string_view name = meant.substr(meant.rfind('.') + 1);
  for (const std::string& key : keys) {
    if (std::string_view(key).substr(key.find('.') + 1) == name) return key;
  }
  return "";
}

/// Why the value of an entry cannot be one of the setting's form; empty if it can.
std::string form_problem(const Setting& setting, const FileEntry& entry) {
  using Kind = FileEntry::Kind;
  switch (setting.form) {
    case Form::boolean: return entry.kind == Kind::boolean ? "" : "must be true or false";
    case Form::integer: return entry.kind == Kind::number ? "" : "must be a whole number";
    case Form::size:
      return entry.kind == Kind::number || entry.kind == Kind::text ? "" : "must be a size such as \"64 MiB\"";
    case Form::duration: return entry.kind == Kind::text ? "" : "must be a duration such as \"30s\", in quotes";
    case Form::word:
    case Form::text: return entry.kind == Kind::text ? "" : "must be a text in quotes";
    case Form::list:
      return entry.kind == Kind::list || entry.kind == Kind::text ? "" : "must be a list of texts, [\"…\", \"…\"]";
  }
  return "";
}

class Loader {
 public:
  explicit Loader(LoadedConfig& out) : out_(out) { out_.origins.assign(settings().size(), "default"); }

  void read_file(const std::string& path) {
    out_.file = path;
    std::error_code unreadable;
    const auto bytes = std::filesystem::file_size(path, unreadable);
    std::ifstream file(path, std::ios::binary);
    if (unreadable || !file) return add(path, unreadable ? unreadable.message() : "cannot be read");
    if (bytes > kFileBytesMax) return add(path, "is larger than 1 MiB: no configuration is");
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    const auto entries = parse_config_file(text);
    if (!entries) return add(path + ":" + std::to_string(entries.error().number), entries.error().message);
    for (const FileEntry& entry : *entries) apply(path + ":" + std::to_string(entry.line), entry);
  }

  void read_environment(const std::vector<std::pair<std::string, std::string>>& variables) {
    for (const auto& [name, text] : variables) {
      if (!name.starts_with(kPrefix) || name.find("__") == std::string::npos) continue;  // somebody else's
      const auto found = std::ranges::find(settings(), name, &Setting::variable);
      if (found == settings().end()) {
        std::vector<std::string> names;
        for (const Setting& setting : settings()) names.push_back(setting.variable());
        add("environment " + name, "no such setting." + did_you_mean(nearest_of(names, name)));
        continue;
      }
      set(*found, found->form == Form::list ? split_list(text) : std::vector{text}, "environment " + name);
    }
  }

  void read_flags(const std::vector<std::pair<std::string, std::vector<std::string>>>& flags) {
    for (const auto& [key, texts] : flags) {
      if (const Setting* setting = find_setting(key)) set(*setting, texts, "flag " + setting->flag);
    }
  }

  void add(const std::string& where, std::string_view what) {
    out_.problems.push_back(where + ": " + std::string(what));
  }

 private:
  void apply(const std::string& where, const FileEntry& entry) {
    const Setting* setting = find_setting(entry.key);
    if (setting == nullptr)
      return add(where, "unknown key '" + entry.key + "'." + did_you_mean(nearest_key(entry.key)));
    if (const std::string problem = form_problem(*setting, entry); !problem.empty())
      return add(where, entry.key + " " + problem);
    set(*setting, entry.values, where);
  }

  void set(const Setting& setting, const std::vector<std::string>& texts, const std::string& origin) {
    if (texts.empty() && setting.form != Form::list) return add(origin, setting.key + " needs a value");
    if (const auto done = setting.set(out_.config, texts); !done) {
      const bool says_choices = setting.form != Form::word || done.error().message.contains(" or ");
      const bool typed = origin.starts_with("flag ");
      out_.blames_flags |= typed;
      return add(typed ? setting.flag : origin + ": " + setting.key,
                 done.error().message + (says_choices ? "" : " (" + setting.allowed + ")"));
    }
    out_.origins[static_cast<std::size_t>(&setting - settings().data())] = origin;
  }

  LoadedConfig& out_;
};

std::string section_of(const Setting& setting) { return setting.key.substr(0, setting.key.find('.')); }
std::string name_of(const Setting& setting) { return setting.key.substr(setting.key.find('.') + 1); }

/// Lines of at most `width` characters, each behind `prefix`.
std::string wrap(std::string_view text, std::string_view prefix, std::size_t width) {
  std::string out;
  std::string line(prefix);
  while (!text.empty()) {
    const std::size_t space = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, space);
    if (line.size() + word.size() + 1 > width && line.size() > prefix.size()) {
      out += line + "\n";
      line = prefix;
    }
    if (line.size() > prefix.size()) line += ' ';
    line += word;
    text.remove_prefix(std::min(space + 1, text.size()));
  }
  return out + line + "\n";
}

}  // namespace

LoadedConfig load_config(const ConfigSources& sources) {
  LoadedConfig out;
  out.config.data_dir = default_data_dir();
  out.config.log_format = LogFormat::automatic;
  Loader loader(out);
  const std::string file = sources.file.value_or(default_config_file());
  if (!file.empty()) loader.read_file(file);
  loader.read_environment(sources.environment);
  loader.read_flags(sources.flags);
  if (out.problems.empty()) {
    if (const auto valid = validate(out.config); !valid) {
      out.blames_flags = !sources.flags.empty();
      out.problems.push_back(valid.error().message);
    }
  }
  return out;
}

std::string default_config_file() {
  std::string path;
  if (::geteuid() == 0) {
    path = "/etc/berth/server.toml";
  } else if (const char* xdg = std::getenv("XDG_CONFIG_HOME"); xdg != nullptr && *xdg != '\0') {
    path = std::string(xdg) + "/berth/server.toml";
  } else if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') {
    path = std::string(home) + "/.config/berth/server.toml";
  }
  std::error_code ignored;
  return std::filesystem::exists(path, ignored) ? path : "";
}

std::vector<std::pair<std::string, std::string>> berth_environment() {
  std::vector<std::pair<std::string, std::string>> out;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::size_t equals = text.find('=');
    if (text.starts_with(kPrefix) && equals != std::string_view::npos)
      out.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return out;
}

std::string render_config(const LoadedConfig& loaded, ShowOrigins origins) {
  std::string out;
  std::string section;
  for (std::size_t i = 0; i < settings().size(); ++i) {
    const Setting& setting = settings()[i];
    if (section_of(setting) != section) {
      section = section_of(setting);
      out += (out.empty() ? "[" : "\n[") + section + "]\n";
    }
    out += name_of(setting) + " = " + toml_value(setting, setting.get(loaded.config));
    if (origins == ShowOrigins::yes) out += "  # " + loaded.origins[i];
    out += '\n';
  }
  return out;
}

namespace {

/// The default as people should read it: not what this machine or user makes of it.
std::vector<std::string> documented_default(const Setting& setting) {
  ServeConfig config;
  config.data_dir = "/var/lib/berth";
  config.log_format = LogFormat::automatic;
  return setting.get(config);
}

}  // namespace

std::string render_default_file() {
  std::string out =
      "# Configuration of berth serve. Every setting is here with its default, commented out.\n"
      "# Stronger than this file: the environment (BERTH_SECTION__KEY), then flags. Check it with: berth config check\n"
      "# After a change: systemctl reload berth (SIGHUP) for the settings marked (reload), a restart for the others.\n";
  std::string section;
  for (const Setting& setting : settings()) {
    if (section_of(setting) != section) {
      section = section_of(setting);
      out += "\n[" + section + "]\n";
    }
    constexpr std::size_t kWidth = 110;
    out += "\n" + wrap(setting.help + (setting.reloadable ? " (reload)" : ""), "# ", kWidth);
    out += "#" + name_of(setting) + " = " + toml_value(setting, documented_default(setting)) + "\n";
  }
  return out;
}

std::string render_reference() {
  std::string out =
      "# Configuration\n\n"
      "<!-- Written by `berth config reference`; ./dev docs renews it, a test compares. -->\n\n"
      "Settings come from, each stronger than the one before: built-in defaults; one file, `--config FILE` or else\n"
      "`/etc/berth/server.toml` (root) or `~/.config/berth/server.toml`; the environment, `BERTH_SECTION__KEY`, lists\n"
      "with commas; flags of `berth serve`. `berth config check` looks for mistakes, `berth config show --origin` "
      "tells\n"
      "what is in force and why. Unknown keys are errors.\n\n"
      "`SIGHUP` reads file and environment again. What is marked ↻ takes effect at once, for open connections too, "
      "and\n"
      "certificates are read again; what else changed is named in the log and waits for a restart. If anything is "
      "wrong\n"
      "with the new configuration all of the old one stays in force.\n\n"
      "Sizes: `1048576`, `\"64 MiB\"`, `\"10 GB\"`. Durations: `\"500ms\"`, `\"30s\"`, `\"2m\"`, `\"24h\"`, "
      "`\"7d\"`.\n";
  std::string section;
  for (const Setting& setting : settings()) {
    if (section_of(setting) != section) {
      section = section_of(setting);
      out += "\n## [" + section + "]\n\n| key | default | allowed | flag | what it does |\n|---|---|---|---|---|\n";
    }
    out += "| `" + name_of(setting) + "`" + (setting.reloadable ? " ↻" : "") + " | `" +
           toml_value(setting, documented_default(setting)) + "` | " + setting.allowed + " | " + "`" + setting.flag +
           "` | " + setting.help + " |\n";
  }
  return out;
}

}  // namespace berth::app
