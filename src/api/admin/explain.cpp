// Why somebody may or may not do something, and who could change that. What decides is auth::rule(), as at the gate;
// here stands what else a request would meet: the account itself, the secret it comes with, a setting.

#include "api/admin/routes.h"
#include "meta/repos.h"
#include "meta/tags.h"

namespace berth::api::admin {

namespace {

using auth::Cause;
using auth::Right;

constexpr std::size_t kScopesShownMax = 5;

/// "acme/web", or a tag in it, "acme/web:1.0".
struct Object {
  oci::RepoName repo;
  std::optional<oci::Tag> tag;
};

Result<Object> parse_object(std::string_view text) {
  if (text.find('@') != std::string_view::npos)
    return fail(Errc::parameter_invalid, "rights are on repositories and tags, as acme/web and acme/web:1.0");
  const std::size_t colon = text.rfind(':');
  BERTH_TRY(auto repo, oci::RepoName::parse(text.substr(0, colon)));
  if (colon == std::string_view::npos) return Object{std::move(repo), std::nullopt};
  BERTH_TRY(auto tag, oci::Tag::parse(text.substr(colon + 1)));
  return Object{std::move(repo), std::move(tag)};
}

struct Verdict {
  Right right = Right::read;
  bool is_allowed = false;
  std::string because;
  std::string changeable_by;
};

/// Whom the question is about.
struct Asked {
  auth::Subject subject;
  bool is_self = false;
  std::optional<Verdict> end;  // of who is disabled or over: then nothing else counts
};

Verdict end_of(const meta::Principal& account) {
  const bool is_robot = account.kind == meta::PrincipalKind::robot;
  Verdict out;
  out.changeable_by = is_robot ? "owners of the robot's namespace or an administrator" : "an administrator";
  if (account.is_disabled) {
    out.because = account.name + " is disabled";
  } else if (is_robot) {
    out.because = account.name + " has expired";
  } else {  // auth.oidc_vouched
    out.because = account.name + " has not signed in at the identity provider for too long";
    out.changeable_by = account.name + ", by signing in with a browser";
  }
  return out;
}

/// Oneself, or, for who administers the repository, anybody.
Result<Asked> subject_asked(AdminCall& call, const oci::RepoName& repo) {
  BERTH_TRY(const auto name, call.query.single("subject"));
  const auth::Subject& self = call.identity.subject;
  if (!name || *name == self.name) return Asked{self, true, {}};
  if (call.identity.narrowing.is_narrow)
    return fail(Errc::denied, "a token that is narrowed to repositories may ask about its own account alone");
  BERTH_TRY(const auth::RulingPtr own, call.deps.directory.ruling(self, repo));
  if (!own->rights.has(Right::admin))
    return fail(Errc::denied, "only who administers " + repo.str() + " may ask about others");
  if (*name == "anonymous") return Asked();
  BERTH_TRY(const auto found,
            call.deps.store.peek([&](sql::Connection& db) { return meta::find_principal(db, *name); }));
  if (!found || found->kind == meta::PrincipalKind::team)
    return fail(Errc::account_unknown, "there is no user or robot '" + *name + "'");
  if (const auto subject = auth::subject_of(*found, call.deps.clock.now_ms())) return Asked{*subject, false, {}};
  Asked out;
  out.subject.name = found->name;
  out.end = end_of(*found);
  return out;
}

/// The same words whether there is such a namespace or not, and whatever it is (A10).
std::string who_can_change(const Cause& cause, const oci::RepoName& repo) {
  switch (cause.kind) {
    case Cause::Kind::administrator: return "another administrator";
    case Cause::Kind::own_namespace: return "an administrator";
    case Cause::Kind::everybody: return "whoever runs the registry, by the setting server.anonymous";
    case Cause::Kind::nothing:
    case Cause::Kind::role:
    case Cause::Kind::granted:
    case Cause::Kind::denied:
    case Cause::Kind::visible: break;
  }
  return "owners of " + std::string(repo.first_component()) + " or an administrator";
}

/// "acme/web:read, acme/api:read and 3 more"
std::string shown_scopes(const auth::Narrowing& narrowing) {
  std::string out;
  std::size_t shown = 0;
  for (const auto& part : narrowing.parts) {
    if (shown == kScopesShownMax) {
      out += " and " + std::to_string(narrowing.parts.size() - shown) + " more";
      break;
    }
    out += (shown++ == 0 ? "" : ", ") + part.pattern.str() + ":" + auth::to_text(part.rights);
  }
  return out.empty() ? "nothing" : out;
}

Result<std::string> narrowed_by(const AdminCall& call, sql::Connection& db) {
  BERTH_TRY(const auto secret, meta::find_token(db, call.identity.via));
  const std::string name = secret && !secret->name.empty() ? " '" + secret->name + "'" : "";
  return "the token" + name + " that asks is narrowed to " + shown_scopes(call.identity.narrowing);
}

Result<bool> has_tag(sql::Connection& db, const Object& object) {
  BERTH_TRY(const auto repo, meta::find_repo(db, object.repo));
  if (!repo) return false;
  BERTH_TRY(const auto row, meta::find_tag(db, *repo, *object.tag));
  return row.has_value();
}

Result<Verdict> judge(const AdminCall& call, const Object& object, const Asked& asked, Right right,
                      sql::Connection& db) {
  const auth::Subject& subject = asked.subject;
  if (asked.end) return Verdict{right, false, asked.end->because, asked.end->changeable_by};
  if (right == Right::remove && call.deps.deletes == Deletes::off) {
    return Verdict{right, false, "deleting is switched off on this registry",
                   "whoever runs the registry, by the setting server.deletes"};
  }
  const auto id = subject.id != 0 ? std::optional(subject.id) : std::nullopt;
  BERTH_TRY(const auto standing, meta::load_standing(db, id, object.repo));
  const auth::Ruling ruling = auth::rule(subject, standing, object.repo, call.deps.directory.everybody());
  const auth::Rights left =
      asked.is_self ? call.identity.narrowing.apply(ruling.rights, object.repo.str()) : ruling.rights;
  std::string said;
  // Whoever may push may find out by that which tags there are; nobody else does, here neither.
  if (right == Right::write && object.tag && left.has(Right::write)) {
    BERTH_TRY(const bool is_there, has_tag(db, object));
    if (is_there) right = Right::overwrite;
    said = "the tag " + object.tag->str() + (is_there ? " exists, and to move it takes overwrite: " : " is new: ");
  }
  const Cause& cause = ruling.cause_of(right);
  if (ruling.rights.has(right) && !left.has(right)) {
    BERTH_TRY(const auto why, narrowed_by(call, db));
    return Verdict{right, false, said + why, subject.name + ", by another token"};
  }
  return Verdict{right, left.has(right), said + auth::describe(cause, subject, standing, object.repo),
                 who_can_change(cause, object.repo)};
}

}  // namespace

Done explain(AdminCall& call) {
  BERTH_CO_TRY(const auto object_text, call.query.single("repo"));
  BERTH_CO_TRY(const auto action, call.query.single("action"));
  if (!object_text || !action) co_return fail(Errc::parameter_invalid, "repo and action are required");
  BERTH_CO_TRY(const auto object, parse_object(*object_text));
  const auto right = auth::parse_right(*action);
  if (!right) {
    co_return fail(Errc::parameter_invalid,
                   "'" + *action + "' is not an action; they are pull, push, overwrite, delete, admin");
  }
  BERTH_CO_TRY(const auto asked, subject_asked(call, object.repo));
  BERTH_CO_TRY(const auto verdict,
               call.deps.store.peek([&](sql::Connection& db) { return judge(call, object, asked, *right, db); }));
  JsonObject out;
  out.text("subject", asked.subject.name.empty() ? "anonymous" : asked.subject.name).text("repo", object.repo.str());
  out.text_or_null("tag", object.tag ? object.tag->str() : "").text("right", auth::to_string(verdict.right));
  out.boolean("allowed", verdict.is_allowed).text("because", verdict.because);
  AdminReply reply;
  reply.body = out.text("changeable_by", verdict.changeable_by).str();
  co_return reply;
}

}  // namespace berth::api::admin
