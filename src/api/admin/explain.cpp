// Why somebody may or may not do something, and who could change that. What decides is auth::rule() and auth::decide(),
// as at the gate; here stands what else a request would meet: the account itself, the secret it comes with, a setting.

#include "api/admin/routes.h"
#include "auth/token_scope.h"
#include "meta/principals.h"
#include "meta/repos.h"
#include "meta/tags.h"

#include <algorithm>

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
  std::string_view right;
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

/// Oneself, or, for who administers what it is about, whoever he may know; ns: the namespace of that. may_ask: () →
/// Result<bool>, whether one does.
template <class MayAsk>
Result<Asked> subject_asked(AdminCall& call, std::string_view what, std::string_view ns, MayAsk may_ask) {
  BERTH_TRY(const auto name, call.query.single("subject"));
  const auth::Subject& self = call.identity.subject;
  if (!name || *name == self.name) return Asked{self, true, {}};
  if (call.identity.narrowing.is_narrow)
    return fail(Errc::denied, "a token that is narrowed may ask about its own account alone");
  BERTH_TRY(const bool may, may_ask());
  if (!may) return fail(Errc::denied, "only who administers " + std::string(what) + " may ask about others");
  if (*name == "anonymous") return Asked();
  BERTH_TRY(const auto found,
            call.deps.store.peek([&](sql::Connection& db) { return meta::find_principal(db, *name); }));
  BERTH_TRY(const bool known, knows(call, *name, ns));
  if (!found || !known || found->kind == meta::PrincipalKind::team)
    return fail(Errc::account_unknown, "there is no user or robot '" + *name + "'");
  if (const auto subject = auth::subject_of(*found, call.deps.clock.now_ms())) return Asked{*subject, false, {}};
  Asked out;
  out.subject.name = found->name;
  out.end = end_of(*found);
  return out;
}

/// "acme/web:read, acme/api:read and 3 more"
std::string shown_scopes(const auth::Narrowing& narrowing) {
  const std::vector<std::string> scopes = auth::scopes_of(narrowing);
  std::string out;
  for (std::size_t i = 0; i < std::min(scopes.size(), kScopesShownMax); ++i) out += (i == 0 ? "" : ", ") + scopes[i];
  if (scopes.size() > kScopesShownMax) out += " and " + std::to_string(scopes.size() - kScopesShownMax) + " more";
  return out.empty() ? "nothing" : out;
}

Result<std::string> narrowed_by(const AdminCall& call, sql::Connection& db) {
  BERTH_TRY(const auto secret, meta::find_token(db, call.identity.via));
  const std::string name = secret && !secret->name.empty() ? " '" + secret->name + "'" : "";
  return "the token" + name + " that asks is narrowed to " + shown_scopes(call.identity.narrowing);
}

/// What the secret that asks is not for.
Result<Verdict> narrowed(const AdminCall& call, std::string_view right, sql::Connection& db, std::string said = {}) {
  BERTH_TRY(const auto why, narrowed_by(call, db));
  return Verdict{right, false, std::move(said) + why, call.identity.subject.name + ", by another token"};
}

Verdict ended(const Asked& asked, std::string_view right) {
  return {right, false, asked.end->because, asked.end->changeable_by};
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
  if (asked.end) return ended(asked, auth::to_string(right));
  if (right == Right::remove && call.deps.deletes == Deletes::off) {
    return Verdict{auth::to_string(right), false, "deleting is switched off on this registry",
                   "whoever runs the registry, by the setting server.deletes"};
  }
  // First: what a token is not for it does not tell, neither what its account may there nor what there is.
  if (asked.is_self && !call.identity.narrowing.apply(auth::Rights::all(), object.repo.str()).has(right))
    return narrowed(call, auth::to_string(right), db);
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
  if (ruling.rights.has(right) && !left.has(right)) return narrowed(call, auth::to_string(right), db, said);
  std::string team;
  if (const meta::GrantRow* grant = auth::grant_of(cause, standing);
      grant != nullptr && grant->principal != subject.id) {
    BERTH_TRY(const auto found, meta::find_principal(db, grant->principal));
    if (found) team = found->name;
  }
  return Verdict{auth::to_string(right), left.has(right),
                 said + auth::describe(cause, subject, standing, object.repo, team),
                 auth::changeable_by(cause, object.repo.first_component())};
}

/// What is asked for beside rights on a repository. ns empty: the registry.
struct OfficeAsked {
  std::string ns;
  auth::Act act;
  std::string_view word;
};

Result<OfficeAsked> office_asked(std::string ns, std::string_view action) {
  if (ns.empty()) {
    if (action == "admin") return OfficeAsked{"", auth::Act::administer_registry, "admin"};
    return fail(
        Errc::parameter_invalid,
        "which repository is it about? Of the registry as a whole there is admin alone, of a namespace admin and "
        "owners");
  }
  if (!oci::RepoName::parse(ns) || ns.find('/') != std::string::npos)
    return fail(Errc::parameter_invalid, "a namespace is what stands before the first '/' of a repository's name");
  if (action == "admin") return OfficeAsked{std::move(ns), auth::Act::administer_namespace, "admin"};
  if (action == "owners") return OfficeAsked{std::move(ns), auth::Act::appoint_owners, "owners"};
  return fail(Errc::parameter_invalid, "what may be done with a namespace is admin, and owners: to appoint them");
}

Result<Verdict> judge(const AdminCall& call, const OfficeAsked& office, const Asked& asked, sql::Connection& db) {
  const auth::Subject& subject = asked.subject;
  if (asked.end) return ended(asked, office.word);
  if (asked.is_self && !call.identity.narrowing.covers(office.act, office.ns)) return narrowed(call, office.word, db);
  const auto id = subject.id != 0 ? std::optional(subject.id) : std::nullopt;
  meta::Place place;
  if (!office.ns.empty()) {
    BERTH_TRY(place, meta::load_place(db, id, office.ns));
  }
  const auth::Asker asker = asked.is_self ? call.identity.asker() : auth::Asker{.subject = subject};
  const auth::Decision decision = auth::decide(asker, office.act, office.ns, place);
  return Verdict{office.word, decision.is_allowed(), auth::describe(decision.cause, subject, office.ns),
                 auth::changeable_by(decision.cause, office.ns)};
}

AdminReply reply_of(const Asked& asked, const Verdict& verdict, std::string_view repo, std::string_view tag,
                    std::string_view ns) {
  JsonObject out;
  out.text("subject", asked.subject.name.empty() ? "anonymous" : asked.subject.name);
  out.text_or_null("repo", repo).text_or_null("tag", tag);
  out.text("right", verdict.right).boolean("allowed", verdict.is_allowed).text("because", verdict.because);
  AdminReply reply;
  reply.body = out.text("changeable_by", verdict.changeable_by).text_or_null("namespace", ns).str();
  return reply;
}

Result<AdminReply> explain_office(AdminCall& call, std::string ns, std::string_view action) {
  BERTH_TRY(const auto office, office_asked(std::move(ns), action));
  BERTH_TRY(const auto asked,
            subject_asked(call, office.ns.empty() ? "the registry" : office.ns, office.ns, [&]() -> Result<bool> {
              const auto act = office.ns.empty() ? auth::Act::administer_registry : auth::Act::administer_namespace;
              BERTH_TRY(const auto own, call.deps.directory.decide(call.identity.asker(), act, office.ns));
              return own.is_allowed();
            }));
  BERTH_TRY(const auto verdict,
            call.deps.store.peek([&](sql::Connection& db) { return judge(call, office, asked, db); }));
  return reply_of(asked, verdict, "", "", office.ns);
}

Result<AdminReply> explain_right(AdminCall& call, std::string_view object_text, const std::string& action) {
  BERTH_TRY(const auto object, parse_object(object_text));
  const auto right = auth::parse_right(action);
  if (!right) {
    return fail(Errc::parameter_invalid,
                "'" + action +
                    "' is not an action; they are pull (or read), push (or write), overwrite, delete, admin, "
                    "and of a namespace admin and owners");
  }
  BERTH_TRY(const auto asked,
            subject_asked(call, object.repo.str(), object.repo.first_component(), [&]() -> Result<bool> {
              BERTH_TRY(const auto own, call.deps.directory.ruling(call.identity.subject, object.repo));
              return own->rights.has(Right::admin);
            }));
  BERTH_TRY(const auto verdict,
            call.deps.store.peek([&](sql::Connection& db) { return judge(call, object, asked, *right, db); }));
  return reply_of(asked, verdict, object.repo.str(), object.tag ? object.tag->str() : "", "");
}

}  // namespace

Done explain(AdminCall& call) {
  BERTH_CO_TRY(const auto repo, call.query.single("repo"));
  BERTH_CO_TRY(const auto ns, call.query.single("namespace"));
  BERTH_CO_TRY(const auto action, call.query.single("action"));
  if (!action || (repo && ns))
    co_return fail(Errc::parameter_invalid, "action is required, and of repo and namespace one at most");
  if (repo) co_return explain_right(call, *repo, *action);
  co_return explain_office(call, ns.value_or(""), *action);
}

}  // namespace berth::api::admin
