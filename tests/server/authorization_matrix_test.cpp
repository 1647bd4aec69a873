// Who may do what (S10, A10, A13): every endpoint and method, every kind of caller, with Basic and with a token, on
// repositories of every visibility and on one that is not there, with the object in question there and not. What must
// come out follows from two small tables, of rights (authorization_world.h) and of requests, which share nothing with
// auth::rule().
#include "api/routes.h"
#include "server/authorization_world.h"

#include <algorithm>
#include <optional>

namespace berth::test {
namespace {

using api::Endpoint;
using http::Method;

// ---- what each endpoint takes, and answers to whoever has it

/// What stands for what in a target: {repo}, {blob}, {gone} (the digest of nothing pushed), {session}, {none} (the id
/// of no session). `there`: the object exists. Answers are a status, and behind it the code of an error.
struct RequestRow {
  Endpoint endpoint;
  Method method;
  bool there;
  const char* target;
  const char* body;    // or a word: "first", "second", "form"
  char needs;          // a right; '-': to have signed in by any way; ' ': nothing
  const char* answer;  // of a repository that exists
  const char* absent;  // of one that does not
};

constexpr const char* kSession = "/v2/{repo}/blobs/uploads/{session}";
constexpr const char* kNoSession = "/v2/{repo}/blobs/uploads/{none}";
constexpr RequestRow kRequests[] = {
    {Endpoint::base, Method::get, true, "/v2/", "", '-', "200", "200"},
    {Endpoint::base, Method::head, true, "/v2/", "", '-', "200", "200"},
    {Endpoint::catalog, Method::get, true, "/v2/_catalog", "", '-', "200", "200"},
    {Endpoint::catalog, Method::head, true, "/v2/_catalog", "", '-', "200", "200"},
    {Endpoint::extensions, Method::get, true, "/v2/_oci/ext/discover", "", ' ', "200", "200"},
    {Endpoint::extensions, Method::head, true, "/v2/_oci/ext/discover", "", ' ', "200", "200"},
    {Endpoint::repo_extensions, Method::get, true, "/v2/{repo}/_oci/ext/discover", "", 'r', "200", "200"},
    {Endpoint::repo_extensions, Method::head, true, "/v2/{repo}/_oci/ext/discover", "", 'r', "200", "200"},
    {Endpoint::tags, Method::get, true, "/v2/{repo}/tags/list", "", 'r', "200", "404 NAME_UNKNOWN"},
    {Endpoint::tags, Method::head, true, "/v2/{repo}/tags/list", "", 'r', "200", "404"},
    {Endpoint::referrers, Method::get, true, "/v2/{repo}/referrers/{blob}", "", 'r', "200", "200"},
    {Endpoint::referrers, Method::head, true, "/v2/{repo}/referrers/{blob}", "", 'r', "200", "200"},
    {Endpoint::blob, Method::get, true, "/v2/{repo}/blobs/{blob}", "", 'r', "200", "404 NAME_UNKNOWN"},
    {Endpoint::blob, Method::get, false, "/v2/{repo}/blobs/{gone}", "", 'r', "404 BLOB_UNKNOWN", "404 NAME_UNKNOWN"},
    {Endpoint::blob, Method::head, true, "/v2/{repo}/blobs/{blob}", "", 'r', "200", "404"},
    {Endpoint::blob, Method::head, false, "/v2/{repo}/blobs/{gone}", "", 'r', "404", "404"},
    {Endpoint::blob, Method::delete_, true, "/v2/{repo}/blobs/{blob}", "", 'd', "202", "404 NAME_UNKNOWN"},
    {Endpoint::blob, Method::delete_, false, "/v2/{repo}/blobs/{gone}", "", 'd', "404 BLOB_UNKNOWN",
     "404 NAME_UNKNOWN"},
    {Endpoint::manifest, Method::get, true, "/v2/{repo}/manifests/v1", "", 'r', "200", "404 NAME_UNKNOWN"},
    {Endpoint::manifest, Method::get, false, "/v2/{repo}/manifests/v2", "", 'r', "404 MANIFEST_UNKNOWN",
     "404 NAME_UNKNOWN"},
    {Endpoint::manifest, Method::head, true, "/v2/{repo}/manifests/v1", "", 'r', "200", "404"},
    {Endpoint::manifest, Method::head, false, "/v2/{repo}/manifests/v2", "", 'r', "404", "404"},
    {Endpoint::manifest, Method::put, true, "/v2/{repo}/manifests/v1", "first", 'w', "201",
     "400 MANIFEST_BLOB_UNKNOWN"},
    {Endpoint::manifest, Method::put, true, "/v2/{repo}/manifests/v1", "second", 'o', "201",
     "400 MANIFEST_BLOB_UNKNOWN"},
    {Endpoint::manifest, Method::put, false, "/v2/{repo}/manifests/v2", "second", 'w', "201",
     "400 MANIFEST_BLOB_UNKNOWN"},
    {Endpoint::manifest, Method::delete_, true, "/v2/{repo}/manifests/v1", "", 'd', "202", "404 NAME_UNKNOWN"},
    {Endpoint::manifest, Method::delete_, false, "/v2/{repo}/manifests/v2", "", 'd', "404 MANIFEST_UNKNOWN",
     "404 NAME_UNKNOWN"},
    {Endpoint::upload_start, Method::post, true, "/v2/{repo}/blobs/uploads/", "", 'w', "202", "202"},
    {Endpoint::upload_session, Method::get, true, kSession, "", 'w', "204", "204"},
    {Endpoint::upload_session, Method::get, false, kNoSession, "", 'w', "404 BLOB_UPLOAD_UNKNOWN",
     "404 BLOB_UPLOAD_UNKNOWN"},
    {Endpoint::upload_session, Method::head, true, kSession, "", 'w', "204", "204"},
    {Endpoint::upload_session, Method::head, false, kNoSession, "", 'w', "404", "404"},
    {Endpoint::upload_session, Method::patch, true, kSession, "x", 'w', "202", "202"},
    {Endpoint::upload_session, Method::patch, false, kNoSession, "x", 'w', "404 BLOB_UPLOAD_UNKNOWN",
     "404 BLOB_UPLOAD_UNKNOWN"},
    {Endpoint::upload_session, Method::put, true, "/v2/{repo}/blobs/uploads/{session}?digest={gone}", "x", 'w',
     "400 DIGEST_INVALID", "400 DIGEST_INVALID"},
    {Endpoint::upload_session, Method::put, false, "/v2/{repo}/blobs/uploads/{none}?digest={gone}", "x", 'w',
     "404 BLOB_UPLOAD_UNKNOWN", "404 BLOB_UPLOAD_UNKNOWN"},
    {Endpoint::upload_session, Method::delete_, true, kSession, "", 'w', "204", "204"},
    {Endpoint::upload_session, Method::delete_, false, kNoSession, "", 'w', "404 BLOB_UPLOAD_UNKNOWN",
     "404 BLOB_UPLOAD_UNKNOWN"},
};

/// Around the protocol: whoever asks, and with whatever.
constexpr RequestRow kOthers[] = {
    {Endpoint::health, Method::get, true, "/healthz", "", ' ', "200", ""},
    {Endpoint::health, Method::head, true, "/healthz", "", ' ', "200", ""},
    {Endpoint::ready, Method::get, true, "/readyz", "", ' ', "200", ""},
    {Endpoint::ready, Method::head, true, "/readyz", "", ' ', "200", ""},
    {Endpoint::metrics, Method::get, true, "/metrics", "", ' ', "200", ""},
    {Endpoint::metrics, Method::head, true, "/metrics", "", ' ', "200", ""},
    {Endpoint::jwks, Method::get, true, "/.well-known/jwks.json", "", ' ', "200", ""},
    {Endpoint::jwks, Method::head, true, "/.well-known/jwks.json", "", ' ', "200", ""},
    {Endpoint::setup, Method::get, true, "/setup", "", ' ', "404 NAME_UNKNOWN", ""},
    {Endpoint::setup, Method::head, true, "/setup", "", ' ', "404", ""},
    {Endpoint::device_code, Method::post, true, "/token/device", "", ' ', "200", ""},
    {Endpoint::page, Method::get, true, "/login", "", ' ', "200", ""},
    {Endpoint::page, Method::get, false, "/login/nowhere", "", ' ', "404", ""},
    {Endpoint::page, Method::head, true, "/login", "", ' ', "200", ""},
    {Endpoint::page, Method::post, true, "/login", "name=x&password=y", ' ', "403", ""},
    {Endpoint::token, Method::get, true, "/token", "", ' ', "200", ""},
    {Endpoint::token, Method::head, true, "/token", "", ' ', "200", ""},
    {Endpoint::token, Method::post, true, "/token", "grant_type=none", ' ', "400 UNSUPPORTED", ""},
};

struct MethodWord {
  Method method;
  const char* word;
};
constexpr MethodWord kMethods[] = {{Method::get, "GET"},         {Method::head, "HEAD"},   {Method::post, "POST"},
                                   {Method::put, "PUT"},         {Method::patch, "PATCH"}, {Method::delete_, "DELETE"},
                                   {Method::options, "OPTIONS"}, {Method::other, "BREW"}};
static_assert(std::size(kMethods) == static_cast<std::size_t>(Method::other) + 1, "a new method needs its word here");

std::string word_of(Method method) { return std::ranges::find(kMethods, method, &MethodWord::method)->word; }

bool has_rows(Endpoint endpoint, Method method) {
  const auto is_it = [&](const RequestRow& row) { return row.endpoint == endpoint && row.method == method; };
  return std::ranges::any_of(kRequests, is_it) || std::ranges::any_of(kOthers, is_it);
}

// ---- a cell of the matrix

enum class By : std::uint8_t { basic, token };
struct Cell {
  const RequestRow& row;
  Place place;
  Caller caller;
  By by;
};

/// A10, the rows of refusal.
std::string refused(const Cell& cell, char right) {
  if (cell.caller == Caller::disabled) return cell.by == By::token ? "401 invalid_token" : "401";
  if (cell.by == By::token) return "401 insufficient_scope";
  if (cell.caller == Caller::anonymous) return "401";
  return right == 'r' ? "404 NAME_UNKNOWN" : "403 DENIED";
}

std::string expected(const Cell& cell) {
  const RequestRow& row = cell.row;
  const bool is_absent = cell.place.where == Where::absent;
  const std::string answer = is_absent ? row.absent : row.answer;
  if (cell.caller == Caller::disabled) return refused(cell, row.needs);  // a bad credential is an answer of its own
  const bool signed_in = cell.caller != Caller::anonymous || cell.by == By::token;
  if (row.needs == '-') return signed_in ? answer : "401";
  if (row.needs == ' ') return answer;
  // To move a tag takes the right to push first; without the other it is a matter of policy, and there the tag must be.
  if (row.needs == 'o') {
    if (!has_right(cell.caller, cell.place.where, 'w')) return refused(cell, 'w');
    return has_right(cell.caller, cell.place.where, 'o') || is_absent ? answer : "403 DENIED";
  }
  return has_right(cell.caller, cell.place.where, row.needs) ? answer : refused(cell, row.needs);
}

/// HEAD has no body to hold a code.
std::string as_told(const std::string& method, const std::string& answer) {
  return method == "HEAD" && !answer.starts_with("401") ? answer.substr(0, 3) : answer;
}

/// The answer in the words of the tables.
std::string words_of(const std::string& method, const WireResponse& response) {
  std::string out = std::to_string(response.status);
  if (response.status == 401) {
    const std::string challenge = response.field("WWW-Authenticate").value_or("");
    for (const char* error : {"invalid_token", "insufficient_scope"}) {
      if (challenge.contains(concat("error=\"", error, "\""))) out += concat(" ", error);
    }
    return out;
  }
  if (response.status < 400 || method == "HEAD") return out;
  std::string problem;
  for (const ErrorEntry& error : read_errors(response.body, problem)) out += " " + error.code;
  return out;
}

class AuthorizationMatrix : public AuthorizationWorld {
 protected:
  void SetUp() override {
    AuthorizationWorld::SetUp();
    for (const Place& place : kPlaces) {
      if (place.where == Where::absent) continue;
      fill(place.repo);
      set_visibility(place);
    }
    // Begun while that was still possible, by whoever loses it now.
    for (const Place& place : kPlaces) (void)credential(Caller::disabled, By::token, place);
    must(accounts.set_disabled("disabled", true));
  }

  /// Everything as it was: blob, config and the tag v1 there, v2 not.
  void fill(const std::string& repo) {
    const Fields fields = as(basic(Caller::admin));
    for (const char* bytes : {kBlob, kConfig})
      client.ask("POST", "/v2/" + repo + "/blobs/uploads/?digest=" + sha256_of(bytes), bytes, fields);
    push_manifest(client, repo, "v1", image("first"), fields);
    client.ask("DELETE", "/v2/" + repo + "/manifests/v2", {}, fields);
  }

  const std::string& credential(Caller caller, By by, const Place& place) {
    std::string& known = credentials_[{caller, by, place.repo}];
    if (!known.empty()) return known;
    known = basic(caller);
    if (by == By::basic) return known;
    const std::string scope = concat("repository:", place.repo, ":pull,push,delete registry:catalog:*");
    const WireResponse answer = client.ask("GET", "/token?scope=" + percent_encoded(scope), {}, as(known));
    std::map<std::string, std::string> captured;
    EXPECT_EQ(match_json(R"({"token":"{{*token}}"})", answer.body, captured), "") << to_string(caller);
    return known = "Bearer " + captured["token"];
  }

  /// One of the caller's own; of whoever cannot have one, an owner's.
  std::string session_of(const Cell& cell) {
    const bool may = has_right(cell.caller, cell.place.where, 'w');
    const Fields fields = as(may ? credential(cell.caller, cell.by, cell.place) : basic(Caller::owner));
    const WireResponse opened = client.ask("POST", concat("/v2/", cell.place.repo, "/blobs/uploads/"), {}, fields);
    return opened.field("Docker-Upload-UUID").value_or("");
  }

  std::string target_of(const Cell& cell) {
    std::string target = cell.row.target;
    const auto put = [&](const std::string& name, const std::string& value) {
      if (const std::size_t at = target.find(name); at != std::string::npos) target.replace(at, name.size(), value);
    };
    put("{repo}", cell.place.repo);
    put("{blob}", sha256_of(kBlob));
    put("{gone}", sha256_of("never pushed"));
    put("{none}", std::string(32, '0'));
    if (target.contains("{session}")) put("{session}", session_of(cell));
    return target;
  }

  void check(const Cell& cell) {
    const std::string method = word_of(cell.row.method);
    const std::string target = target_of(cell);
    std::string body = cell.row.body;
    if (body == "first" || body == "second") body = image(body);
    const WireResponse response = client.ask(method, target, body, as(credential(cell.caller, cell.by, cell.place)));
    EXPECT_EQ(words_of(method, response), as_told(method, expected(cell)))
        << to_string(cell.caller) << (cell.by == By::token ? " with a token: " : ": ") << method << " " << target;
    const bool has_changed = response.status / 100 == 2 && !api::is_read(cell.row.method);
    if (has_changed && cell.place.where != Where::absent && cell.row.needs != 'w') fill(cell.place.repo);
    if (has_changed && cell.row.needs == 'w' && cell.row.endpoint == Endpoint::manifest) fill(cell.place.repo);
    ++cells_;
  }

  static constexpr const char* kBlob = "some bytes";
  std::map<std::tuple<Caller, By, std::string>, std::string> credentials_;
  int cells_ = 0;
};

TEST_F(AuthorizationMatrix, EveryCallerEverywhere) {  // A10, A13, S10, S12, M7
  for (const RequestRow& row : kRequests) {
    for (const Place& place : kPlaces) {
      for (const Caller caller : kCallers) {
        if (caller != Caller::disabled) check({row, place, caller, By::basic});
        check({row, place, caller, By::token});
      }
    }
  }
  EXPECT_EQ(cells_, std::ssize(kRequests) * 4 * 19);
}

TEST_F(AuthorizationMatrix, AroundTheProtocolCredentialsDoNotMatter) {
  for (const RequestRow& row : kOthers) {
    for (const Caller caller : kCallers) {
      for (const By by : {By::basic, By::token}) {
        if (caller == Caller::disabled && by == By::basic) continue;
        const std::string method = word_of(row.method);
        const WireResponse response = client.ask(method, row.target, row.body, as(credential(caller, by, kPlaces[0])));
        // The exception: a token buys no token (A7).
        const bool buys = row.endpoint == Endpoint::token && row.method != Method::post && by == By::token;
        EXPECT_EQ(words_of(method, response), buys ? "401" : row.answer) << to_string(caller) << method << row.target;
      }
    }
  }
}

TEST_F(AuthorizationMatrix, EveryEndpointAndMethodHasItsRows) {
  for (std::size_t i = 0; i < api::kEndpointCount; ++i) {
    const auto endpoint = static_cast<Endpoint>(i);
    if (endpoint == Endpoint::admin) continue;  // admin_matrix_test.cpp
    for (const auto& [method, word] : kMethods) {
      EXPECT_EQ(has_rows(endpoint, method), api::is_allowed(endpoint, method))
          << api::to_string(endpoint) << " " << word;
    }
  }
}

TEST_F(AuthorizationMatrix, AMethodThatIsNotThereIsNotThereForAnybody) {  // H8
  for (const RequestRow& row : kRequests) {
    for (const auto& [method, word] : kMethods) {
      if (api::is_allowed(row.endpoint, method)) continue;
      for (const Caller caller : {Caller::anonymous, Caller::stranger, Caller::admin}) {
        const Cell cell{row, kPlaces[0], caller, By::basic};
        const WireResponse response = client.ask(word, target_of(cell), {}, as(basic(caller)));
        EXPECT_EQ(words_of(word, response), as_told(word, "405 UNSUPPORTED"))
            << to_string(caller) << " " << word << " " << row.target;
      }
    }
  }
}

}  // namespace
}  // namespace berth::test
