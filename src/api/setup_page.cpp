#include "api/setup_page.h"

namespace berth::api {

namespace {

constexpr std::string_view kPage = R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Set up Berth</title>
<link rel="stylesheet" href="/berth.css">
<script src="/setup/script.js" defer></script>
</head>
<body>
<main class="narrow">
<h1>Set up Berth</h1>
<p>Create the first administrator. From then on nobody pushes or pulls without an account, except what you make public.</p>
<form>
<label>Name<input name="name" autocomplete="username" required minlength="2" maxlength="64" pattern="[a-z0-9]([._\-]?[a-z0-9])*" title="a-z and 0-9, with single '.', '_' or '-' between them" autofocus></label>
<label>Password<input name="password" type="password" autocomplete="new-password" required minlength="8" maxlength="256"></label>
<button>Create administrator</button>
</form>
<p id="said"></p>
</main>
<noscript><p>This page needs JavaScript; without it: <code>berth user add NAME --admin</code> while the server is stopped.</p></noscript>
</body>
</html>
)";

constexpr std::string_view kScript = R"("use strict";
const form = document.querySelector("form");
const said = document.getElementById("said");
const token = location.hash.slice(1);
history.replaceState(null, "", location.pathname);
const say = (text, isGood) => {
  said.setAttribute("role", isGood ? "status" : "alert");
  said.textContent = text;
};
if (!token) say("The address lacks its secret: use the one that the server printed at its start.", false);
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const fields = new FormData(form);
  form.querySelector("button").disabled = true;
  const answer = await fetch("/api/v1/setup", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ token, name: fields.get("name"), password: fields.get("password") }),
  });
  const body = await answer.json();
  form.querySelector("button").disabled = answer.ok;
  form.hidden = answer.ok;
  say(answer.ok
    ? `${body.name} is the administrator now.\nSign in with: docker login -u ${body.name} ${location.host}`
    : body.detail, answer.ok);
});
)";

http::Response head_of(std::string_view media_type) {
  http::Response head{.status = 200, .reason = {}, .field_lines = {}};
  head.add("Content-Type", media_type);
  head.add_lines({"\r\nX-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\nReferrer-Policy: no-referrer",
                  "\r\nContent-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
                  "connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"});
  return head;
}

}  // namespace

io::Task<Result<void>> get_setup(Context& context, http::Exchange& exchange) {
  if (context.services.auth.directory.has_accounts())
    co_return fail(Errc::route_unknown, "this registry is set up already");
  const std::string_view path = exchange.request().path;
  if (path == "/setup/script.js")
    co_return co_await exchange.send(head_of("text/javascript; charset=utf-8"), std::string(kScript));
  co_return co_await exchange.send(head_of("text/html; charset=utf-8"), std::string(kPage));
}

}  // namespace berth::api
