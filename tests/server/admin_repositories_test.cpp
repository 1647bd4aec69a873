// The routes of the administration API that speak of repositories, for every kind of caller, by Basic and by Bearer, on
// repositories of every visibility and on one that is not there: what may not be seen and what is not there are
// answered alike (A10, S12). What must come out follows from the table of rights in authorization_world.h.
#include "base/base64.h"
#include "server/authorization_world.h"

#include <nlohmann/json.hpp>

#include <set>

namespace berth::test {
namespace {

using nlohmann::json;

constexpr const char* kVisibilityWords[] = {"private", "internal", "public", "private"};

struct Action {
  const char* word;
  char right;
};
constexpr Action kActions[] = {{"pull", 'r'},   {"push", 'w'},  {"overwrite", 'o'},
                               {"delete", 'd'}, {"admin", 'a'}, {"read", 'r'}};

class AdminRepositories : public AuthorizationWorld {
 protected:
  struct Cell {
    Caller caller;
    std::string authorization;
    const Place& place;
  };

  void SetUp() override {
    AuthorizationWorld::SetUp();
    for (const Place& place : kPlaces) {
      if (place.where == Where::absent) continue;
      client.ask("POST", concat("/v2/", place.repo, "/blobs/uploads/?digest=", sha256_of("x")), "x",
                 as(basic(Caller::owner)));
      set_visibility(place);
    }
    for (const Caller caller : kCallers) (void)bearer(caller);  // while everybody may make one
    must(accounts.set_disabled("disabled", true));
  }

  std::vector<Cell> cells() {
    std::vector<Cell> out;
    for (const Place& place : kPlaces) {
      for (const Caller caller : kCallers) {
        out.push_back({caller, basic(caller), place});
        if (caller != Caller::anonymous) out.push_back({caller, bearer(caller), place});
      }
    }
    return out;
  }

  static std::string name_of(const Cell& cell) {
    return concat(to_string(cell.caller), " by ", cell.authorization.substr(0, 6), " on ", cell.place.repo);
  }
  static bool may(const Cell& cell, char right) { return has_right(cell.caller, cell.place.where, right); }

  WireResponse ask(const Cell& cell, const std::string& method, const std::string& target,
                   const std::string& body = {}) {
    return client.ask(method, "/api/v1/" + target, body, as(cell.authorization));
  }

  /// An answer without what differs from one request to the next: the repository's name, the request's, the time.
  static std::string essence(const WireResponse& response, const Cell& cell) {
    std::string out = std::to_string(response.status) + "\n";
    for (const auto& [name, value] : response.fields) {
      if (name != "Date" && name != "X-Request-Id" && name != "Content-Length")
        out.append(name).append(": " + value + "\n");
    }
    json body = json::parse(response.body, nullptr, false);
    if (body.is_object()) body.erase("request_id");
    out += body.is_discarded() ? response.body : body.dump();
    const std::string repo = cell.place.repo;
    for (std::size_t at = out.find(repo); at != std::string::npos; at = out.find(repo))
      out.replace(at, repo.size(), "*");
    return out;
  }

  /// Of each caller, who may not read there: what he is told on the absent one is what he is told on this one.
  void expect_alike(const std::string& method, const std::string& before, const std::string& behind,
                    const std::string& body = {}) {
    for (const Cell& cell : cells()) {
      if (cell.place.where == Where::absent || may(cell, 'r')) continue;
      const Cell absent{cell.caller, cell.authorization, kPlaces[static_cast<std::size_t>(Where::absent)]};
      const auto told = [&](const Cell& where) {
        return essence(ask(where, method, before + where.place.repo + behind, body), where);
      };
      EXPECT_EQ(told(cell), told(absent)) << name_of(cell) << ": " << method << " " << before;
    }
  }

  /// The names on all pages.
  std::vector<std::string> listed(const std::string& authorization, const std::string& query) {
    std::vector<std::string> out;
    for (std::string cursor; out.size() < 100;) {
      const std::string more = cursor.empty() ? "" : "&cursor=" + cursor;
      const WireResponse response = client.ask("GET", "/api/v1/repos?" + query + more, {}, as(authorization));
      EXPECT_EQ(response.status, 200) << response.body;
      const json page = json::parse(response.body, nullptr, false);
      for (const json& item : page["items"]) out.push_back(item["name"]);
      if (!page["next"].is_string()) return out;
      cursor = page["next"];
      told_ += decode_base64url(cursor).value_or("") + "\n";
    }
    ADD_FAILURE() << "the pages do not end";
    return out;
  }

  std::string told_;  // by cursors, decoded
};

TEST_F(AdminRepositories, GetRepository) {  // A10
  for (const Cell& cell : cells()) {
    const WireResponse response = ask(cell, "GET", concat("repos/", cell.place.repo));
    const bool is_shown = may(cell, 'r') && cell.place.where != Where::absent;
    const int expected = cell.caller == Caller::disabled ? 401 : is_shown ? 200 : 404;
    ASSERT_EQ(response.status, expected) << name_of(cell);
    if (expected != 200) continue;
    const json shown = json::parse(response.body);
    EXPECT_EQ(shown["name"], cell.place.repo);
    EXPECT_EQ(shown["visibility"], kVisibilityWords[static_cast<std::size_t>(cell.place.where)]);
    std::vector<std::string> permissions;
    for (const Action& action : {Action{"read", 'r'}, Action{"write", 'w'}, Action{"overwrite", 'o'},
                                 Action{"delete", 'd'}, Action{"admin", 'a'}}) {
      if (may(cell, action.right)) permissions.emplace_back(action.word);
    }
    EXPECT_EQ(shown["permissions"], json(permissions)) << name_of(cell);
  }
  expect_alike("GET", "repos/", "");
}

TEST_F(AdminRepositories, ChangeRepository) {  // A10, S10
  for (const Cell& cell : cells()) {
    const std::string same = kVisibilityWords[static_cast<std::size_t>(cell.place.where)];
    const WireResponse response =
        ask(cell, "PATCH", concat("repos/", cell.place.repo), R"({"visibility":")" + same + "\"}");
    const bool is_nobody = cell.caller == Caller::disabled || cell.caller == Caller::anonymous;
    int expected = may(cell, 'a') ? 200 : may(cell, 'r') ? 403 : 404;
    if (expected == 200 && cell.place.where == Where::absent) expected = 404;
    if (is_nobody) expected = 401;
    EXPECT_EQ(response.status, expected) << name_of(cell);
  }
  expect_alike("PATCH", "repos/", "", R"({"visibility":"public"})");
  for (const Place& place : kPlaces) {
    const Cell admin{Caller::admin, basic(Caller::admin), place};
    const json shown = json::parse(ask(admin, "GET", concat("repos/", place.repo)).body);
    if (place.where == Where::absent) {
      EXPECT_EQ(shown["status"], 404) << "nobody brought it into being";
    } else {
      EXPECT_EQ(shown["visibility"], kVisibilityWords[static_cast<std::size_t>(place.where)]);
    }
  }
}

/// Of whom a push would not have it there, nobody learns whether it is (A10).
TEST_F(AdminRepositories, CreateRepository) {  // A10, S10
  const auto create = [&](const Cell& cell) {
    return ask(cell, "POST", "repos", concat(R"({"name":")", cell.place.repo, R"("})"));
  };
  for (const Cell& cell : cells()) {
    const bool is_nobody = cell.caller == Caller::disabled || cell.caller == Caller::anonymous;
    const bool is_absent = cell.place.where == Where::absent;
    const int expected = is_nobody ? 401 : !may(cell, 'w') ? 403 : is_absent ? 201 : 409;
    EXPECT_EQ(create(cell).status, expected) << name_of(cell);
    const Cell admin{Caller::admin, basic(Caller::admin), cell.place};
    if (is_absent && expected == 201) {
      EXPECT_EQ(ask(admin, "DELETE", concat("repos/", cell.place.repo)).status, 204);
    }
  }
  for (const Cell& cell : cells()) {
    if (may(cell, 'w')) continue;
    const Cell absent{cell.caller, cell.authorization, kPlaces[static_cast<std::size_t>(Where::absent)]};
    EXPECT_EQ(essence(create(cell), cell), essence(create(absent), absent)) << name_of(cell);
  }
}

TEST_F(AdminRepositories, WhatIsAskedOfOneThatIsNotSeen) {  // A10
  for (const char* what : {"usage", "readme"}) expect_alike("GET", "repos/", concat("/-/", what));
  for (const char* what : {"rename", "transfer"})
    expect_alike("POST", "repos/", concat("/-/", what), R"({"to":"acme/else"})");
  for (const char* method : {"PUT", "DELETE"}) expect_alike(method, "repos/", "/-/readme");
  expect_alike("DELETE", "repos/", "");
}

/// A name that is asked for tells nothing of what is under it to who may not see it.
TEST_F(AdminRepositories, NewNames) {  // A10
  must(accounts.add_user("dan", kPassword));
  must(accounts.grant("dan", "acme/dans", auth::Rights::all(), {}));
  must(accounts.add_repo("acme/dans"));
  const std::string dan = "Basic " + base64(std::string("dan:") + kPassword);
  for (const char* what : {"rename", "transfer"}) {
    std::set<std::string> answers;
    for (const char* to : {"acme/private", "acme/absent", "crew/private", "crew/absent"}) {
      const bool is_here = std::string_view(to).starts_with("acme/");
      if (is_here != (std::string_view(what) == "rename")) continue;
      const WireResponse answer =
          client.ask("POST", concat("/api/v1/repos/acme/dans/-/", what), concat(R"({"to":")", to, R"("})"), as(dan));
      EXPECT_EQ(answer.status, 403) << to;
      std::string detail = json::parse(answer.body)["detail"];
      const std::string_view last = std::string_view(to).substr(5);
      if (const std::size_t at = detail.find(last); at != std::string::npos) detail.replace(at, last.size(), "*");
      answers.insert(detail);
    }
    EXPECT_EQ(answers.size(), 1U) << what;
  }
}

/// Admin alone is not enough to get around what a grant on the name denies (S10).
TEST_F(AdminRepositories, WhoLacksARightTakesNoNameAway) {
  must(accounts.add_user("dan", kPassword));
  must(accounts.grant("dan", "acme/**", auth::Rights::all(), {}));
  must(accounts.grant("dan", "acme/private", {}, auth::Right::write));
  const std::string dan = "Basic " + base64(std::string("dan:") + kPassword);
  const auto asked = [&](const char* method, const char* target, const char* body) {
    return client.ask(method, concat("/api/v1/repos/", target), body, as(dan)).status;
  };
  EXPECT_EQ(asked("PATCH", "acme/private", R"({"description":"x"})"), 200) << "he administers it";
  EXPECT_EQ(asked("POST", "acme/private/-/rename", R"({"to":"acme/mine"})"), 403);
  EXPECT_EQ(asked("POST", "acme/private/-/transfer", R"({"to":"dan/mine"})"), 403);
  EXPECT_EQ(asked("DELETE", "acme/private", ""), 403);
  EXPECT_EQ(asked("DELETE", "acme/internal", ""), 204);
  EXPECT_EQ(asked("POST", "acme/public/-/rename", R"({"to":"acme/private"})"), 403);
  EXPECT_EQ(asked("POST", "acme/public/-/transfer", R"({"to":"dan/mine"})"), 200);
}

TEST_F(AdminRepositories, Explain) {  // A10
  for (const Cell& cell : cells()) {
    const bool is_nobody = cell.caller == Caller::disabled || cell.caller == Caller::anonymous;
    for (const Action& action : kActions) {
      const WireResponse response = ask(cell, "GET", concat("explain?repo=", cell.place.repo, "&action=", action.word));
      ASSERT_EQ(response.status, is_nobody ? 401 : 200) << name_of(cell);
      if (is_nobody) continue;
      EXPECT_EQ(json::parse(response.body)["allowed"], has_right(cell.caller, cell.place.where, action.right))
          << name_of(cell) << ": " << action.word;
    }
  }
  for (const Action& action : kActions) expect_alike("GET", "explain?repo=", concat("&action=", action.word));
}

TEST_F(AdminRepositories, ExplainAboutOthers) {  // A10
  for (const Cell& cell : cells()) {
    const char* other = cell.caller == Caller::stranger ? "reader" : "stranger";
    const bool is_nobody = cell.caller == Caller::disabled || cell.caller == Caller::anonymous;
    const bool may_ask = cell.caller != Caller::narrowed && may(cell, 'a');  // A16
    const WireResponse response =
        ask(cell, "GET", concat("explain?repo=", cell.place.repo, "&action=pull&subject=", other));
    EXPECT_EQ(response.status, is_nobody ? 401 : may_ask ? 200 : 403) << name_of(cell);
  }
  expect_alike("GET", "explain?repo=", "&action=pull&subject=reader");
  expect_alike("GET", "explain?repo=", "&action=pull&subject=nobody");
}

TEST_F(AdminRepositories, ListRepositories) {  // S12
  for (const Caller caller : kCallers) {
    if (caller == Caller::disabled) {
      EXPECT_EQ(client.ask("GET", "/api/v1/repos", {}, as(bearer(caller))).status, 401);
      continue;
    }
    std::set<std::string> names;
    for (const Place& place : kPlaces) {
      if (place.where != Where::absent && has_right(caller, place.where, 'r')) names.insert(place.repo);
    }
    const std::vector<std::string> wanted(names.begin(), names.end());
    for (const std::string& authorization : {basic(caller), bearer(caller)}) {
      told_.clear();
      for (const char* query : {"", "limit=1", "limit=2", "q=acme&limit=1"})
        EXPECT_EQ(listed(authorization, query), wanted) << to_string(caller) << ": " << query;
      for (const Place& place : kPlaces) {
        const bool is_there = names.contains(place.repo);
        EXPECT_EQ(listed(authorization, concat("q=", place.repo)).size(), is_there ? 1U : 0U) << to_string(caller);
        EXPECT_TRUE(is_there || !told_.contains(place.repo))
            << to_string(caller) << " is told by a cursor of " << place.repo;
      }
    }
  }
}

/// Names that no repository can have are not there, and are no way around the question.
TEST_F(AdminRepositories, NamesThatAreNone) {  // A10, S14
  for (const char* name :
       {"acme/Private", "acme/../acme/private", "acme%2Fprivate/", "acme//private", "acme/private/", "."}) {
    for (const Caller caller : {Caller::anonymous, Caller::stranger}) {
      const int status = client.ask("GET", concat("/api/v1/repos/", name), {}, as(basic(caller))).status;
      EXPECT_TRUE(status == 404 || status == 400) << name << " " << status;
    }
  }
}

}  // namespace
}  // namespace berth::test
