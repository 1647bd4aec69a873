#include "api/pages/html.h"

namespace berth::api {

namespace {

constexpr std::string_view kStyle = R"(:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0 auto; padding: 1rem; max-width: 60rem; }
header { display: flex; flex-wrap: wrap; gap: 1rem; align-items: center; border-bottom: 1px solid #8884; padding-bottom: .5rem; }
header nav { display: flex; gap: 1rem; flex: 1; }
header strong { font-size: 1.1rem; }
main.narrow { width: min(26rem, 100%); margin: 10vh auto 0; }
form.inline { display: inline; }
label { display: block; margin: 1rem 0; }
input, select, textarea, button, a.button { display: block; width: 100%; box-sizing: border-box; font: inherit; padding: .5rem; margin-top: .25rem; }
form.inline button { width: auto; margin: 0; }
a.button { text-align: center; text-decoration: none; border: 1px solid currentColor; border-radius: .25rem; margin: 1rem 0; }
button { cursor: pointer; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; }
th, td { text-align: left; padding: .4rem .6rem .4rem 0; border-bottom: 1px solid #8884; vertical-align: top; overflow-wrap: anywhere; }
code, pre { font: .95em ui-monospace, monospace; overflow-wrap: anywhere; white-space: pre-wrap; }
.code { font: 2rem ui-monospace, monospace; letter-spacing: .1em; text-align: center; }
[role=alert] { border-left: .3rem solid #c33; padding: .25rem .75rem; }
[role=status] { border-left: .3rem solid #393; padding: .25rem .75rem; }
#said { white-space: pre-line; }
.choice { display: flex; gap: 1rem; }
)";

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string html_page(const PageFrame& frame, std::string_view body) {
  std::string out =
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>";
  out += escaped(frame.title);
  out += " - Berth</title>\n<link rel=\"stylesheet\" href=\"/berth.css\">\n</head>\n<body>\n";
  if (!frame.user.empty()) {
    out +=
        "<header><strong>Berth</strong><nav><a href=\"/settings/tokens\">Access tokens</a>"
        "<a href=\"/settings/sessions\">Sessions</a></nav><span>";
    out += escaped(frame.user);
    out += "</span><form class=\"inline\" method=\"post\" action=\"/logout\">" +
           hidden_field("csrf", frame.form_token) + "<button>Sign out</button></form></header>\n";
  }
  out += frame.user.empty() ? "<main class=\"narrow\">\n" : "<main>\n";
  out += "<h1>" + escaped(frame.title) + "</h1>\n";
  out += body;
  return out + "\n</main>\n</body>\n</html>\n";
}

std::string hidden_field(std::string_view name, std::string_view value) {
  return "<input type=\"hidden\" name=\"" + escaped(name) + "\" value=\"" + escaped(value) + "\">";
}

std::string notice(std::string_view text) {
  return text.empty() ? std::string() : "<p role=\"alert\">" + escaped(text) + "</p>\n";
}

std::string_view style_sheet() { return kStyle; }

}  // namespace berth::api
