// What a repository says of itself: a text in Markdown, given out as it was put in.

#include "api/admin/repo_replies.h"
#include "api/admin/routes.h"
#include "http/chars.h"
#include "meta/readmes.h"

namespace berth::api::admin {

namespace {

constexpr std::size_t kReadmeBytesMax = 256 * 1024;
constexpr std::string_view kMarkdown = "text/markdown";

struct Found {
  meta::RepoId repo = 0;
  meta::Readme readme;

  std::string etag() const { return etag_of(repo, readme.version); }
};

Result<Found> load(sql::Connection& db, const oci::RepoName& name) {
  BERTH_TRY(const auto info, load_repo(db, name));
  BERTH_TRY(auto found, meta::find_readme(db, info.id));
  if (!found) return fail(Errc::account_unknown, name.str() + " has no readme");
  return Found{info.id, *std::move(found)};
}

/// Of what is there; nullopt: nothing is.
Result<std::optional<std::string>> etag_now(sql::Connection& db, meta::RepoId repo) {
  BERTH_TRY(const auto found, meta::find_readme(db, repo));
  return found ? std::optional(etag_of(repo, found->version)) : std::nullopt;
}

/// Without a NUL, which no database keeps in a text.
bool is_utf8(std::string_view text) {
  std::string quoted;
  append_json_string(quoted, text);  // puts something else in the place of what is none
  const auto back = json::parse(quoted);
  return back && back->string() == text && !text.contains('\0');
}

Result<void> check_text(const AdminRequest& request) {
  const std::string_view type =
      http::trim(std::string_view(request.content_type).substr(0, request.content_type.find(';')));
  if (!type.empty() && !http::iequals(type, kMarkdown))
    return fail(Errc::media_type_unknown, "a readme is text/markdown, and must be said to be by Content-Type");
  if (request.body.size() > kReadmeBytesMax) return fail(Errc::body_too_large, "a readme has at most 256 KiB");
  if (!is_utf8(request.body)) return fail(Errc::account_invalid, "a readme is text in UTF-8");
  return {};
}

}  // namespace

Done get_readme(AdminCall& call) {
  BERTH_CO_TRY(const auto name, oci::RepoName::parse(call.captures[0]));
  BERTH_CO_TRY(auto found, co_await call.deps.store.read([name](sql::Connection& db) { return load(db, name); }));
  AdminReply reply;
  reply.etag = found.etag();
  reply.body = std::move(found.readme.text);
  reply.content_type = std::string(kMarkdown) + "; charset=utf-8";
  co_return reply;
}

Done put_readme(AdminCall& call) {
  BERTH_CO_TRY(const auto name, oci::RepoName::parse(call.captures[0]));
  BERTH_CO_TRYV(check_text(call.request));
  call.detail = JsonObject().number("bytes", std::ssize(call.request.body)).str();
  // shared: the writer may run the closure again
  const auto text = std::make_shared<const std::string>(call.request.body);
  bool was_there = false;
  BERTH_CO_TRY(const auto etag,
               co_await change(call, meta::Touches::nothing(),
                               [=, &was_there, wanted = if_match_of(call), must_be_new = must_be_new(call),
                                stamp = call.stamp()](sql::Connection& db) -> Result<std::string> {
                                 BERTH_TRY(const auto info, load_repo(db, name));
                                 BERTH_TRY(const auto before, etag_now(db, info.id));
                                 BERTH_TRYV(check_new(must_be_new, before.has_value()));
                                 BERTH_TRYV(check_found(wanted, before));
                                 BERTH_TRY(was_there, meta::put_readme(db, info.id, *text, stamp));
                                 BERTH_TRY(const auto after, etag_now(db, info.id));
                                 return after.value_or("");
                               }));
  AdminReply reply = no_content();
  if (!was_there) {
    reply.status = 201;
    reply.location = "/api/v1/repos/" + name.str() + "/-/readme";
  }
  reply.etag = etag;
  co_return reply;
}

Done remove_readme(AdminCall& call) {
  BERTH_CO_TRY(const auto name, oci::RepoName::parse(call.captures[0]));
  BERTH_CO_TRYV(co_await change(call, meta::Touches::nothing(),
                                [=, wanted = if_match_of(call)](sql::Connection& db) -> Result<void> {
                                  BERTH_TRY(const auto found, load(db, name));
                                  BERTH_TRYV(check_match(wanted, found.etag()));
                                  BERTH_TRYV(meta::remove_readme(db, found.repo));
                                  return {};
                                }));
  co_return no_content();
}

}  // namespace berth::api::admin
