#pragma once
// Rows of the table of settings, by what a value is: the forms that settings.cpp and its sections are written in.
// `field` is always a function from ServeConfig& to a reference.

#include "app/settings.h"
#include "base/setting_text.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth::app {

using Form = Setting::Form;
using Texts = std::vector<std::string>;

inline constexpr std::int64_t kKiB = 1024;
inline constexpr std::int64_t kMiB = 1024 * kKiB;
inline constexpr std::int64_t kGiB = 1024 * kMiB;
inline constexpr std::int64_t kSecond = 1000;
inline constexpr std::int64_t kHour = 3600 * kSecond;
inline constexpr std::int64_t kDay = 24 * kHour;

enum class Reload : std::uint8_t { no, yes };

struct Row {
  std::string key;
  std::string help;
  std::string flag;
  Reload reload = Reload::no;
};

inline Setting base_of(Row row, Form form) {
  Setting setting;
  setting.key = std::move(row.key);
  setting.flag = std::move(row.flag);
  setting.form = form;
  setting.help = std::move(row.help);
  setting.reloadable = row.reload == Reload::yes;
  return setting;
}

inline Result<std::int64_t> parse_number(Form form, std::string_view text) {
  if (form == Form::size) return parse_bytes(text);
  if (form == Form::duration) return parse_duration_ms(text);
  return parse_integer(text);
}

inline std::string print_number(Form form, std::int64_t value) {
  if (form == Form::size) return print_bytes(value);
  if (form == Form::duration) return print_duration_ms(value);
  return std::to_string(value);
}

/// field: ServeConfig& → a reference to something that is assigned from, and converts to, a whole number.
template <class Field>
Setting number(Row row, Form form, std::int64_t min, std::int64_t max, Field field) {
  Setting setting = base_of(std::move(row), form);
  setting.allowed = print_number(form, min) + " to " + print_number(form, max);
  setting.set = [form, min, max, field, allowed = setting.allowed](ServeConfig& config,
                                                                   const Texts& texts) -> Result<void> {
    BERTH_TRY(const std::int64_t value, parse_number(form, texts.back()));
    if (value < min || value > max)
      return fail(Errc::parameter_invalid, "'" + texts.back() + "' is out of range: " + allowed);
    auto& target = field(config);
    using Target = std::remove_cvref_t<decltype(target)>;
    if constexpr (std::is_arithmetic_v<Target>) {
      target = static_cast<Target>(value);
    } else {
      target = static_cast<decltype(target.get())>(value);
    }
    return {};
  };
  setting.get = [form, field](const ServeConfig& config) -> Texts {
    return {print_number(form, static_cast<std::int64_t>(field(config)))};
  };
  return setting;
}

template <class Field>
Setting count(Row row, std::int64_t min, std::int64_t max, Field field) {
  return number(std::move(row), Form::integer, min, max, field);
}
template <class Field>
Setting size(Row row, std::int64_t min, std::int64_t max, Field field) {
  return number(std::move(row), Form::size, min, max, field);
}
template <class Field>
Setting duration(Row row, std::int64_t min, std::int64_t max, Field field) {
  return number(std::move(row), Form::duration, min, max, field);
}

template <class T>
struct Word {
  std::string text;
  T value;
};

/// A choice of words. parse gives the value and the sentence of a refusal.
template <class T, class Parse, class Field>
Setting words(Row row, std::vector<Word<T>> choices, Parse parse, Field field) {
  Setting setting = base_of(std::move(row), Form::word);
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (i > 0) setting.allowed += i + 1 == choices.size() ? " or " : ", ";
    setting.allowed += choices[i].text.empty() ? "\"\"" : choices[i].text;
  }
  setting.set = [parse, field](ServeConfig& config, const Texts& texts) -> Result<void> {
    BERTH_TRY(field(config), parse(texts.back()));
    return {};
  };
  setting.get = [choices = std::move(choices), field](const ServeConfig& config) -> Texts {
    for (const auto& choice : choices) {
      if (choice.value == static_cast<T>(field(config))) return {choice.text};
    }
    return {""};
  };
  return setting;
}

template <class Field>
Setting flag(Row row, Field field) {
  Setting setting = base_of(std::move(row), Form::boolean);
  setting.allowed = "true or false";
  setting.set = [field](ServeConfig& config, const Texts& texts) -> Result<void> {
    BERTH_TRY(field(config), parse_boolean(texts.back()));
    return {};
  };
  setting.get = [field](const ServeConfig& config) -> Texts { return {field(config) ? "true" : "false"}; };
  return setting;
}

template <class Field>
Setting list(Row row, Field field) {
  Setting setting = base_of(std::move(row), Form::list);
  setting.set = [field](ServeConfig& config, const Texts& texts) -> Result<void> {
    field(config) = texts;
    return {};
  };
  setting.get = [field](const ServeConfig& config) -> Texts { return field(config); };
  return setting;
}

template <class Field>
Setting text(Row row, Field field) {
  Setting setting = base_of(std::move(row), Form::text);
  setting.set = [field](ServeConfig& config, const Texts& texts) -> Result<void> {
    const bool is_plain = std::ranges::none_of(texts.back(), [](char c) { return c >= 0 && (c < ' ' || c == '\x7f'); });
    if (!is_plain) return fail(Errc::parameter_invalid, "there are control characters in it");
    field(config) = texts.back();
    return {};
  };
  setting.get = [field](const ServeConfig& config) -> Texts { return {field(config)}; };
  return setting;
}

}  // namespace berth::app
