#pragma once
// HTML as text. What comes from outside goes through escaped(), and nowhere but between tags and into quoted
// attributes.

#include <string>
#include <string_view>

namespace berth::api {

std::string escaped(std::string_view text);

/// A whole page. `body` is HTML. user: who is signed in, empty: nobody; form_token: for the button that signs out.
struct PageFrame {
  std::string_view title;
  std::string_view user;
  std::string_view form_token;
};
std::string html_page(const PageFrame& frame, std::string_view body);

/// A hidden field of a form.
std::string hidden_field(std::string_view name, std::string_view value);
/// <p role="alert">, empty for nothing to say.
std::string notice(std::string_view text);

/// What all of our pages look like.
std::string_view style_sheet();

}  // namespace berth::api
