#include "meta/tokens.h"

#include "meta/principals.h"
#include "support/meta_fixture.h"

namespace berth::meta {
namespace {

class Tokens : public test::MetaFixture {
 protected:
  static crypto::Sha256Sum hash(std::string_view text) { return crypto::sha256(std::as_bytes(std::span(text))); }
  TokenId insert(std::string_view text, TokenKind kind = TokenKind::access,
                 std::optional<std::int64_t> expires_at_ms = {}, PrincipalId of = 1) {
    TokenRow row;
    row.principal = of;
    row.kind = kind;
    row.expires_at_ms = expires_at_ms;
    return insert_token(*db_, row, hash(text), stamp()).value();
  }
  TokenRow load(TokenId id) { return find_token(*db_, id).value().value(); }
  static std::vector<TokenId> ids(const std::vector<TokenRow>& rows) {
    std::vector<TokenId> out;
    for (const TokenRow& row : rows) out.push_back(row.id);
    return out;
  }
};

TEST_F(Tokens, ComeBackAsTheyWereInserted) {
  TokenRow row;
  row.principal = 7;
  row.kind = TokenKind::short_lived;
  row.name = "laptop";
  row.scope = R"({"repos":[]})";
  row.expires_at_ms = kStart + 5;
  const auto id = insert_token(*db_, row, hash("a"), stamp());
  ASSERT_TRUE(id.has_value());
  for (const auto& found : {find_token(*db_, hash("a")).value(), find_token(*db_, *id).value()}) {
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->id, *id);
    EXPECT_EQ(found->principal, 7);
    EXPECT_EQ(found->kind, TokenKind::short_lived);
    EXPECT_EQ(found->name, "laptop");
    EXPECT_EQ(found->scope, R"({"repos":[]})");
    EXPECT_EQ(found->created_at_ms, kStart);
    EXPECT_EQ(found->expires_at_ms, kStart + 5);
    EXPECT_FALSE(found->used_at_ms || found->revoked_at_ms);
    EXPECT_EQ(found->used_from, "");
  }
  EXPECT_FALSE(find_token(*db_, hash("b")).value());
  EXPECT_FALSE(find_token(*db_, *id + 1).value());
}

TEST_F(Tokens, OneHashIsOneSecret) {
  insert("a");
  TokenRow row;
  row.principal = 2;
  EXPECT_FALSE(insert_token(*db_, row, hash("a"), stamp()).has_value());
}

TEST_F(Tokens, ListsAreOfOneKindAndPrincipal) {
  const TokenId first = insert("a");
  const TokenId second = insert("b");
  insert("c", TokenKind::refresh);
  insert("d", TokenKind::access, {}, 2);
  EXPECT_EQ(ids(list_tokens(*db_, 1, TokenKind::access, 0, 9).value()), (std::vector{first, second}));
  EXPECT_EQ(ids(list_tokens(*db_, 1, TokenKind::access, first, 9).value()), std::vector{second});
  EXPECT_EQ(ids(list_tokens(*db_, 1, TokenKind::access, 0, 1).value()), std::vector{first});
}

TEST_F(Tokens, LiveOnesAreNeitherRevokedNorOver) {
  const TokenId revoked = insert("a");
  ASSERT_TRUE(revoke_token(*db_, 1, revoked, kStart).value());
  insert("b", TokenKind::access, kStart);
  const TokenId ending = insert("c", TokenKind::access, kStart + 1);
  const TokenId endless = insert("d");
  insert("e", TokenKind::refresh);
  insert("f", TokenKind::access, {}, 2);
  EXPECT_EQ(ids(list_live_tokens(*db_, 1, TokenKind::access, kStart, 9).value()), (std::vector{ending, endless}));
  EXPECT_EQ(ids(list_live_tokens(*db_, 1, TokenKind::access, kStart, 1).value()), std::vector{ending});
  EXPECT_EQ(ids(list_live_tokens(*db_, 1, TokenKind::access, kStart + 1, 9).value()), std::vector{endless});
}

TEST_F(Tokens, AreRevokedOnceAndByTheirPrincipalOnly) {
  const TokenId id = insert("a");
  EXPECT_FALSE(revoke_token(*db_, 2, id, kStart).value()) << "S13";
  EXPECT_TRUE(revoke_token(*db_, 1, id, kStart).value());
  EXPECT_FALSE(revoke_token(*db_, 1, id, kStart + 9).value());
  EXPECT_EQ(load(id).revoked_at_ms, kStart) << "the first time stands";
  EXPECT_FALSE(revoke_token(*db_, 1, id + 1, kStart).value());
}

TEST_F(Tokens, WhatSigningInOpenedEndsTogether) {
  std::vector<std::string> revoked;
  for (const TokenKind kind : {TokenKind::access, TokenKind::refresh, TokenKind::web_session, TokenKind::robot_secret,
                               TokenKind::short_lived}) {
    insert(std::to_string(static_cast<int>(kind)), kind);
    insert("2 " + std::to_string(static_cast<int>(kind)), kind, {}, 2);
  }
  ASSERT_TRUE(revoke_signed_in(*db_, 1, kStart).has_value());
  EXPECT_THAT(probe_.rows("SELECT principal_id, kind FROM token WHERE revoked_at IS NOT NULL ORDER BY kind"),
              ::testing::ElementsAre("1|2", "1|3", "1|5"));
}

TEST_F(Tokens, LastUse) {
  const TokenId id = insert("a");
  ASSERT_TRUE(note_token_use(*db_, id, kStart + 1, "192.0.2.7").has_value());
  ASSERT_TRUE(note_token_use(*db_, id, kStart + 2, "192.0.2.8").has_value());
  EXPECT_EQ(load(id).used_at_ms, kStart + 2);
  EXPECT_EQ(load(id).used_from, "192.0.2.8");
}

TEST_F(Tokens, AreShortenedAndNeverLengthened) {
  const TokenId endless = insert("a");
  const TokenId ending = insert("b", TokenKind::access, kStart + 10);
  for (const TokenId id : {endless, ending}) ASSERT_TRUE(shorten_token(*db_, id, kStart + 20).has_value());
  EXPECT_EQ(load(endless).expires_at_ms, kStart + 20);
  EXPECT_EQ(load(ending).expires_at_ms, kStart + 10);
  ASSERT_TRUE(shorten_token(*db_, ending, kStart + 5).has_value());
  EXPECT_EQ(load(ending).expires_at_ms, kStart + 5);
}

TEST_F(Tokens, ThoseLongOverAreForgotten) {
  for (int i = 0; i < 5; ++i) insert(std::to_string(i), TokenKind::access, kStart + i);
  const TokenId endless = insert("endless");
  EXPECT_EQ(forget_dead_tokens(*db_, kStart + 4, 3).value(), 3) << "the oldest first, so many at a time";
  EXPECT_EQ(forget_dead_tokens(*db_, kStart + 4, 3).value(), 1);
  EXPECT_EQ(forget_dead_tokens(*db_, kStart + 4, 3).value(), 0) << "before, not at";
  EXPECT_EQ(probe_.number("SELECT count(*) FROM token"), 2);
  EXPECT_TRUE(find_token(*db_, endless).value());
  ASSERT_TRUE(revoke_token(*db_, 1, endless, kStart + 10).value());
  EXPECT_EQ(forget_dead_tokens(*db_, kStart + 10, 3).value(), 1) << "the last that expired";
  EXPECT_TRUE(find_token(*db_, endless).value()) << "shown as revoked for a while";
  EXPECT_EQ(forget_dead_tokens(*db_, kStart + 11, 3).value(), 1) << "one without an end, too, once it was revoked";
  EXPECT_FALSE(find_token(*db_, endless).value());
}

TEST_F(Tokens, WhatSigningInMakesIsBoundedForEachAndOfEachKind) {
  const TokenId others = insert("others", TokenKind::refresh, {}, 2);
  const TokenId of_another_kind = insert("access");
  TokenRow by_a_secret;
  by_a_secret.principal = 1;
  by_a_secret.kind = TokenKind::refresh;
  by_a_secret.made_by = of_another_kind;
  const TokenId of_another_maker = insert_token(*db_, by_a_secret, hash("made"), stamp()).value();
  std::vector<TokenId> made;
  TokenRow row;
  row.principal = 1;
  row.kind = TokenKind::refresh;
  for (int i = 0; i < 1'003; ++i)
    made.push_back(insert_bounded_token(*db_, row, hash(std::to_string(i)), stamp()).value());
  for (const std::size_t gone : {0U, 1U, 2U}) EXPECT_FALSE(find_token(*db_, made[gone]).value()) << "the oldest";
  EXPECT_TRUE(find_token(*db_, made[3]).value());
  EXPECT_TRUE(find_token(*db_, made.back()).value());
  EXPECT_EQ(probe_.number("SELECT count(*) FROM token"), 1'003);
  EXPECT_TRUE(find_token(*db_, of_another_maker).value());
  EXPECT_TRUE(find_token(*db_, others).value());
  EXPECT_TRUE(find_token(*db_, of_another_kind).value());
}

TEST_F(Tokens, OpenInvitationsOfEverybodyAreListed) {
  Principal person;
  person.kind = PrincipalKind::user;
  person.name = "ann";
  const PrincipalId ann = insert_principal(*db_, person, stamp()).value();
  person.name = "root";
  const PrincipalId root = insert_principal(*db_, person, stamp()).value();
  insert("access", TokenKind::access, kStart + 50, ann);
  insert("over", TokenKind::invite, kStart, ann);
  const TokenId first = insert("first", TokenKind::invite, kStart + 50, ann);
  const TokenId taken = insert("taken", TokenKind::invite, kStart + 50, ann);
  const TokenId second = insert("second", TokenKind::invite, kStart + 50, root);
  ASSERT_TRUE(revoke_token(*db_, ann, taken, kStart).value());
  const auto open = list_open_invites(*db_, kStart, 0, 10).value();
  ASSERT_EQ(open.size(), 2U);
  EXPECT_EQ(open[0].token.id, first);
  EXPECT_EQ(open[0].maker, "ann");
  EXPECT_EQ(open[1].token.id, second);
  EXPECT_EQ(open[1].maker, "root");
  EXPECT_EQ(list_open_invites(*db_, kStart, first, 10).value().size(), 1U);
  EXPECT_EQ(list_open_invites(*db_, kStart, 0, 1).value().size(), 1U);
}

}  // namespace
}  // namespace berth::meta
