// The table E1-E8 of docs/durability.md: which event leaves which candidates, to the row.
#include "meta/gc_queue.h"

#include "support/meta_fixture.h"

namespace berth::meta {
namespace {

constexpr std::int64_t kHourMs = 60LL * 60 * 1000;

class GcQueue;
struct Case {
  const char* name;
  void (*events)(GcQueue&);
  std::vector<std::string> expected;
  friend void PrintTo(const Case& row, std::ostream* out) { *out << row.name; }
};

class GcQueue : public test::MetaFixture, public ::testing::WithParamInterface<Case> {
 public:
  using MetaFixture::digest;
  using MetaFixture::image;
  using MetaFixture::mount;
  using MetaFixture::now_;
  using MetaFixture::point;
  using MetaFixture::push;
  using MetaFixture::put;

  void pass_hours(std::int64_t hours) { now_ += hours * kHourMs; }
  void unlink(std::string_view name, std::string_view text) {
    (void)trash_link(*db_, repo(name), digest(text), stamp());
  }
  void trash(std::string_view name, const std::string& text) {
    ASSERT_TRUE(trash_manifest(*db_, repo_id(name), digest(text), stamp()).has_value());
  }
  void look_at(std::string_view name, std::string_view text) {
    const Link link = find_link(*db_, repo(name), digest(text))->value();
    ASSERT_TRUE(extend_lease(*db_, link.repo, link.blob, now_).has_value());
  }
  void spoil(std::string_view name, std::string_view text) {
    const Link link = find_link(*db_, repo(name), digest(text))->value();
    ASSERT_TRUE(mark_blob_bad(*db_, link.blob, link.inc, now_).has_value());
  }
  void reserve(std::string_view name, std::string_view text) {
    ASSERT_TRUE(reserve_link(*db_, repo_id(name), digest(text), 1, stamp()).has_value());
  }
  std::string labelled(std::string label, const std::string& manifest) {
    labels_[storage_hex(digest(manifest))] = std::move(label);
    return manifest;
  }

  /// "<kind> <repository>/<object> +<hours after the start>h E<cause>", sorted.
  std::vector<std::string> queue() {
    for (const char* text : {"config", "layer", "other"}) labels_[storage_hex(digest(text))] = text;
    std::vector<std::string> out;
    for (const std::string& row : probe_.rows(R"(
           SELECT CASE q.kind WHEN 1 THEN 'link' WHEN 2 THEN 'blob' WHEN 3 THEN 'orphan' WHEN 4 THEN 'purge' END,
             r.name, lower(hex(CASE q.kind WHEN 1 THEN b.digest ELSE m.digest END)), q.due, q.why
           FROM gc_queue q JOIN repo r ON r.id = q.repo_id
           LEFT JOIN blob b ON q.kind = 1 AND b.id = q.obj_id
           LEFT JOIN manifest m ON q.kind IN (3, 4) AND m.id = q.obj_id)")) {
      std::vector<std::string> part(1);
      for (const char c : row) c == '|' ? part.emplace_back() : (part.back() += c, part.back());
      const std::int64_t hours = (std::stoll(part[3]) - kStart) / kHourMs;
      out.push_back(part[0] + " " + part[1] + "/" + labels_[part[2]] + " +" + std::to_string(hours) + "h E" + part[4]);
    }
    std::ranges::sort(out);
    return out;
  }

 private:
  std::map<std::string, std::string> labels_;
};

std::string subject_of(const std::string& manifest) { return oci::digest_of(oci::Algorithm::sha256, manifest).str(); }

const Case kCases[] = {
    {"E1UploadQueuesTheLink", [](GcQueue& t) { t.push("app", "layer"); }, {"link app/layer +24h E1"}},
    {"E1MountQueuesTheNewLinkOnly",
     [](GcQueue& t) {
       t.push("app", "layer");
       t.pass_hours(3);
       t.mount("other", "app", "layer");
     },
     {"link app/layer +24h E1", "link other/layer +27h E1"}},
    {"E1UploadingAgainKeepsALaterDue",
     [](GcQueue& t) {
       t.push("app", "layer");
       t.pass_hours(1);
       t.push("app", "layer");
     },
     {"link app/layer +24h E1"}},
    {"E1UploadingAgainRenewsTheLeaseOfOneThatIsNearlyDue",
     [](GcQueue& t) {
       t.push("app", "layer");
       t.pass_hours(23);
       t.push("app", "layer");
     },
     {"link app/layer +25h E1"}},
    {"E1UploadingAgainWhatAManifestUsesQueuesNothing",
     [](GcQueue& t) {
       t.image("app", {"config", "layer"});
       t.push("app", "layer");
       t.mount("app", "app", "layer");
     },
     {}},
    {"E2ManifestTakesItsLinksOffTheQueueAndNoOthers",
     [](GcQueue& t) {
       t.push("app", "other");
       t.push("lib", "layer");
       t.image("app", {"config", "layer"});
     },
     {"link app/other +24h E1", "link lib/layer +24h E1"}},
    {"E2PushRevivesADeletedManifest",
     [](GcQueue& t) {
       const std::string image = t.image("app", {"config"});
       t.trash("app", image);
       t.put("app", image);
     },
     {}},
    {"E3LookingExtendsWhatIsNearlyDue",
     [](GcQueue& t) {
       t.push("app", "layer");
       t.pass_hours(24);
       t.look_at("app", "layer");
     },
     {"link app/layer +26h E1"}},
    {"E3LookingNeverShortens",
     [](GcQueue& t) {
       t.push("app", "layer");
       t.look_at("app", "layer");
     },
     {"link app/layer +24h E1"}},
    {"E3LookingAtWhatIsNotACandidateMakesItNone",
     [](GcQueue& t) {
       t.image("app", {"config", "layer"});
       t.look_at("app", "layer");
     },
     {}},
    {"E4DeletedManifestIsToBePurgedAfterTheUndoWindow",
     [](GcQueue& t) {
       const std::string image = t.labelled("image", t.image("app", {"config", "layer"}));
       t.point("app", "v1", image);
       t.pass_hours(1);
       t.trash("app", image);
     },
     {"purge app/image +169h E4"}},
    {"E4DeletingTwiceChangesNothing",
     [](GcQueue& t) {
       const std::string image = t.labelled("image", t.image("app", {"config"}));
       t.trash("app", image);
       t.pass_hours(1);
       t.trash("app", image);
     },
     {"purge app/image +168h E4"}},
    {"E4ChildrenOfADeletedIndexMayBeOrphans",
     [](GcQueue& t) {
       const std::string child = t.labelled("child", t.image("app", {"config"}));
       const std::string index = t.labelled("index", test::index_text({test::piece_of(child)}));
       t.image("lib", {"config"});  // the same child elsewhere is not concerned
       t.put("app", index);
       t.trash("app", index);
     },
     {"orphan app/child +168h E4", "purge app/index +168h E4"}},
    {"E4ReferrersOfADeletedSubjectMayBeOrphans",
     [](GcQueue& t) {
       const std::string image = t.labelled("image", t.image("app", {"config"}));
       t.labelled("sig", t.image("app", {"config", "layer"}, {.subject = subject_of(image)}));
       t.image("lib", {"config", "layer"}, {.subject = subject_of(image)});
       t.trash("app", image);
     },
     {"orphan app/sig +168h E4", "purge app/image +168h E4"}},
    {"E4ADeletedOrphanIsRevivedWithoutItsRows",
     [](GcQueue& t) {
       const std::string image = t.labelled("image", t.image("app", {"config"}));
       const std::string sig = t.labelled("sig", t.image("app", {"config", "layer"}, {.subject = subject_of(image)}));
       t.trash("app", image);
       t.trash("app", sig);
       t.put("app", sig);
     },
     {"purge app/image +168h E4"}},
    {"E6DeletedBlobIsDueAfterTheUndoWindowInsteadOfTheGrace",
     [](GcQueue& t) {
       t.push("app", "layer");
       t.pass_hours(2);
       t.unlink("app", "layer");
     },
     {"link app/layer +170h E6"}},
    {"E6ABlobInUseIsNotQueued",
     [](GcQueue& t) {
       t.image("app", {"config", "layer"});
       t.unlink("app", "layer");
     },
     {}},
    {"E6AnUploadBringsBackTheGraceOfANewLink",
     [](GcQueue& t) {
       t.push("app", "layer");
       t.unlink("app", "layer");
       t.pass_hours(1);
       t.push("app", "layer");
     },
     {"link app/layer +25h E1"}},
    {"E6AMountBringsBackTheGraceOfANewLink",
     [](GcQueue& t) {
       t.push("lib", "layer");
       t.push("app", "layer");
       t.unlink("app", "layer");
       t.mount("app", "lib", "layer");
     },
     {"link app/layer +24h E1", "link lib/layer +24h E1"}},
    {"RepairingBadBytesKeepsTheCandidatesDue",
     [](GcQueue& t) {
       t.push("app", "layer");
       t.spoil("app", "layer");
       t.push("app", "layer");
     },
     {"link app/layer +24h E1"}},
    {"AReservedLinkIsKeptByItsEdge", [](GcQueue& t) { t.reserve("app", "layer"); }, {}},
};

TEST_P(GcQueue, HoldsExactlyWhatTheEventsLeave) {
  GetParam().events(*this);
  EXPECT_EQ(queue(), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(Events, GcQueue, ::testing::ValuesIn(kCases),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace berth::meta
