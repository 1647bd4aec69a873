#include "meta/usage.h"

#include "base/random.h"
#include "support/meta_fixture.h"
#include "support/usage_drift.h"

namespace berth::meta {
namespace {

class Usage : public test::MetaFixture {
 protected:
  std::vector<std::string> drift() { return test::usage_drift(probe_); }
  std::optional<RepoInfo> info(const std::string& name) { return find_repo_info(*db_, repo(name)).value(); }
  void transfer(const std::string& name, const std::string& to) {
    const auto ns = find_namespace(*db_, repo(to).first_component()).value();
    const auto from = info(name);
    if (ns && from) (void)transfer_repo(*db_, *from, ns->id, repo(to));
  }
  void erase(const std::string& name) {
    const auto there = info(name);
    if (there) ASSERT_TRUE(delete_repo(*db_, *there, stamp()).has_value());
  }
  std::int64_t used(const std::string& table, const std::string& name) {
    return probe_.number("SELECT used_bytes FROM " + table + " WHERE name = '" + name + "'");
  }
};

TEST_F(Usage, ANamespacePaysForABlobOnce) {
  push("team/a", "0123456789");
  push("team/b", "0123456789");
  push("other/a", "0123456789");
  EXPECT_EQ(used("repo", "team/a"), 10);
  EXPECT_EQ(used("repo", "team/b"), 10);
  EXPECT_EQ(used("ns", "team"), 10);
  EXPECT_EQ(used("ns", "other"), 10);
  ASSERT_TRUE(trash_link(*db_, repo("team/a"), digest("0123456789"), stamp()).value());
  EXPECT_EQ(used("repo", "team/a"), 0);
  EXPECT_EQ(used("ns", "team"), 10);
  ASSERT_TRUE(trash_link(*db_, repo("team/b"), digest("0123456789"), stamp()).value());
  EXPECT_EQ(used("ns", "team"), 0);
  EXPECT_EQ(used("ns", "other"), 10);
}

TEST_F(Usage, AManifestCountsOncePerRepositoryAndWhileItLives) {
  const std::string text = image("team/a", {"config"});
  put("team/a", text);
  const auto size = static_cast<std::int64_t>(text.size() + 6);
  EXPECT_EQ(used("repo", "team/a"), size);
  ASSERT_TRUE(trash_manifest(*db_, repo_id("team/a"), digest(text), stamp()).value());
  EXPECT_EQ(used("repo", "team/a"), 6);
  put("team/a", text);
  EXPECT_EQ(used("ns", "team"), size);
}

TEST_F(Usage, ATransferMovesWhatTheNamespacesPay) {
  push("team/a", "0123456789");
  push("team/b", "0123456789");
  push("other/a", "4444");
  image("team/a", {"0123456789", "4444"});
  const std::int64_t manifests = used("repo", "team/a") - 14;
  transfer("team/a", "other/moved");
  EXPECT_EQ(used("repo", "other/moved"), 14 + manifests);
  EXPECT_EQ(used("ns", "team"), 10) << "team/b still has it";
  EXPECT_EQ(used("ns", "other"), 14 + manifests) << "one of the blobs was there already";
  EXPECT_EQ(drift(), std::vector<std::string>{});
}

TEST_F(Usage, ADeletedRepositoryIsCountedForNoNamespace) {
  push("team/a", "0123456789");
  push("team/b", "0123456789");
  image("team/a", {"4444"});
  erase("team/a");
  EXPECT_EQ(used("ns", "team"), 10);
  EXPECT_EQ(drift(), std::vector<std::string>{});
}

TEST_F(Usage, OtherHoldersAreThoseWhereTheBlobIsSeen) {
  for (const char* name : {"team/a", "team/b", "other/a", "gone/a"}) push(name, "0123456789");
  push("team/a", "4444");
  ASSERT_TRUE(trash_link(*db_, repo("team/b"), digest("0123456789"), stamp()).value());
  erase("gone/a");
  const RepoId a = repo_id("team/a");
  const auto links = list_counted_links(*db_, a, 0, 10).value();
  ASSERT_EQ(links.size(), 2U);
  EXPECT_EQ(links[0].size_bytes + links[1].size_bytes, 14);
  EXPECT_EQ(list_counted_links(*db_, a, links[0].blob, 10).value().size(), 1U);
  const auto others = other_holders(*db_, blob_id("0123456789"), a, 10).value();
  ASSERT_EQ(others.size(), 1U);
  EXPECT_EQ(others[0].name, "other/a");
  EXPECT_EQ(other_holders(*db_, blob_id("4444"), a, 10).value().size(), 0U);
}

/// One random step; whether it was possible does not matter.
class RandomSteps : public Usage {
 protected:
  void step(Random& random) {
    const std::string name = pick(random, {"team/a", "team/b", "other/a"});
    const std::string text = pick(random, {"1", "22", "333", "4444", "55555"});
    switch (random.u64() % 11) {
      case 0:
      case 1: push(name, text); break;
      case 2: mount(name, std::nullopt, text); break;
      case 3: (void)trash_link(*db_, repo(name), digest(text), stamp()); break;
      case 4: reserve(name, text); break;
      case 5: put_image(name, text, random); break;
      case 6: drop_image(name, random); break;
      case 7: tag_image(name, random); break;
      case 9: transfer(name, pick(random, {"team/a", "team/b", "team/c", "other/a", "other/b"})); break;
      case 10:
        if (random.u64() % 4 == 0) erase(name);
        break;
      case 8: (void)delete_tag(*db_, repo_id(name), tag(pick(random, {"x", "y"})), stamp()); break;
    }
    now_ += 1000;
  }

 private:
  static std::string pick(Random& random, const std::vector<std::string>& from) {
    return from[random.u64() % from.size()];
  }
  void reserve(const std::string& name, const std::string& text) {
    const RepoId id = repo_id(name);
    if (!find_edge_target(*db_, id, digest(text))->has_value()) (void)reserve_link(*db_, id, digest(text), 9, stamp());
  }
  void put_image(const std::string& name, const std::string& text, Random& random) {
    const auto target = find_edge_target(*db_, repo_id(name), digest(text)).value();
    if (!target || !target->present) return;
    const std::string manifest = test::image_text({test::piece_of(text)}, {.note = pick(random, {"p", "q"})});
    put(name, manifest);
    manifests_.push_back(manifest);
  }
  void drop_image(const std::string& name, Random& random) {
    if (!manifests_.empty()) (void)trash_manifest(*db_, repo_id(name), digest(pick(random, manifests_)), stamp());
  }
  void tag_image(const std::string& name, Random& random) {
    if (manifests_.empty()) return;
    const std::string manifest = pick(random, manifests_);
    const auto id = find_child_target(*db_, repo_id(name), digest(manifest)).value();
    if (id) (void)set_tag(*db_, repo_id(name), tag(pick(random, {"x", "y"})), id->id, digest(manifest), stamp());
  }

  std::vector<std::string> manifests_;
};

TEST_F(RandomSteps, CountersEqualARecomputationAfterEachStep) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    SeededRandom random(seed);
    for (int i = 0; i < 250; ++i) {
      step(random);
      ASSERT_EQ(drift(), std::vector<std::string>{}) << "seed " << seed << " step " << i;
    }
  }
  EXPECT_GT(probe_.number("SELECT sum(used_bytes) FROM ns"), 0);
}

}  // namespace
}  // namespace berth::meta
