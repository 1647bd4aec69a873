#include "cli/serve_flags.h"

#include "app/settings.h"
#include "cli/exit_code.h"

#include <cstdio>

namespace berth::cli {

namespace {

using Form = app::Setting::Form;

std::string type_name(const app::Setting& setting) {
  switch (setting.form) {
    case Form::boolean: return "BOOL";
    case Form::integer: return "NUMBER";
    case Form::size: return "SIZE";
    case Form::duration: return "DURATION";
    case Form::word: return "WORD";
    case Form::text: return "TEXT";
    case Form::list: return "TEXT ...";
  }
  return "TEXT";
}

std::string description(const app::Setting& setting) {
  app::ServeConfig config;
  std::string text = setting.help;
  if (!setting.allowed.empty()) text += " Allowed: " + setting.allowed + ".";
  const auto value = setting.get(config);
  if (!value.empty() && !value.front().empty()) text += " Default: " + value.front() + ".";
  return text;
}

}  // namespace

app::ConfigSources ServeFlags::sources() const {
  app::ConfigSources out;
  if (!config_file.empty()) out.file = config_file;
  out.environment = app::berth_environment();
  for (const auto& [key, texts] : by_key) {
    if (!texts.empty()) out.flags.emplace_back(key, texts);
  }
  return out;
}

int report_problems(const app::LoadedConfig& loaded) {
  const int code = loaded.blames_flags ? kWrongFlag : kFailed;
  for (const std::string& problem : loaded.problems) report_usage("berth: " + problem, code);
  return code;
}

Result<std::string> configured_data_dir() {
  const app::LoadedConfig loaded = app::load_config({.environment = app::berth_environment()});
  if (loaded.problems.empty()) return loaded.config.data_dir;
  std::string all;
  for (const std::string& problem : loaded.problems) all += (all.empty() ? "" : "\n       ") + problem;
  return fail(Errc::unavailable, "the configuration does not say where the data are; mend it or give --data", all);
}

void add_setting_flags(CLI::App& command, ServeFlags& flags) {
  command
      .add_option(
          "--config", flags.config_file,
          "Configuration file (default: /etc/berth/server.toml for root, else ~/.config/berth/server.toml, if it "
          "is there)")
      ->type_name("FILE")
      ->take_last();
  for (const app::Setting& setting : app::settings()) {
    CLI::Option* option = command.add_option(setting.flag, flags.by_key[setting.key], description(setting));
    option->type_name(type_name(setting))->type_size(1)->allow_extra_args(false);
    // A flag given twice means the later one, since scripts put their defaults first; of a list, both.
    if (setting.form == Form::list) {
      option->take_all();
    } else {
      option->take_last();
    }
  }
}

}  // namespace berth::cli
