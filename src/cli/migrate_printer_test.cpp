#include "cli/migrate_printer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

namespace berth::cli {
namespace {

using lifecycle::MigrateReport;
using lifecycle::SkipKind;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(MigrateSummary, SaysHowBlobsCame) {
  MigrateReport report;
  report.repositories = 3;
  report.blobs[0] = {2, 1'500'000};
  report.blobs[2] = {1, 2'000};
  report.why_not_cheaper = "the file system cannot do it";
  const std::string text = migrate_summary_text(report, {});
  EXPECT_THAT(text, HasSubstr("1.5 MB linked, 2.0 kB copied"));
  EXPECT_THAT(text, HasSubstr("not hard linked: the file system cannot do it"));
  EXPECT_THAT(text, HasSubstr("Done."));
}

TEST(MigrateSummary, TellsSkipsFromWhatNobodyCouldPull) {
  MigrateReport report;
  report.skipped[std::to_underlying(SkipKind::tag_dangling)] = 2;
  report.skipped[std::to_underlying(SkipKind::blob_unlinked)] = 7;
  const std::string text = migrate_summary_text(report, {});
  EXPECT_THAT(text, HasSubstr("skipped:\n           2  dangling tag"));
  EXPECT_THAT(text, HasSubstr("nobody could pull it:\n           7  blob of no repository"));
  EXPECT_THAT(text, HasSubstr("Nothing new was taken. Skipped 2,"));
  EXPECT_THAT(migrate_summary_json(report, {}), HasSubstr("\"skipped\":2,\"notes\":7"));
}

TEST(MigrateSummary, NothingToDoAndDryRunsSaySo) {
  EXPECT_THAT(migrate_summary_text({}, {}), HasSubstr("Nothing to do"));
  MigrateReport report;
  report.blobs_planned = {4, 5'000};
  const std::string text = migrate_summary_text(report, {.dry_run = true});
  EXPECT_THAT(text, HasSubstr("would take"));
  EXPECT_THAT(text, HasSubstr("5.0 kB to read"));
  EXPECT_THAT(text, HasSubstr("Nothing was written"));
}

TEST(MigrateSkip, NamesOfOthersDoNotReachTheTerminalRaw) {
  const lifecycle::Skip skip{SkipKind::unknown_file, "a\x1b[2Jb", "odd \"thing\""};
  EXPECT_THAT(skip_text(skip), Not(HasSubstr("\x1b")));
  EXPECT_EQ(skip_json(skip),
            R"({"type":"note","kind":"unknown file","object":"a\u001b[2Jb","reason":"odd \"thing\""})");
}

TEST(MigrateProgress, HasRateAndTimeLeftOnceThereIsSomethingToGoBy) {
  EXPECT_EQ(migrate_progress_text({.phase = "looking"}, 0), "migrate: looking");
  EXPECT_EQ(migrate_progress_text({.phase = "blobs", .done = 1'000, .total = 5'000, .in_bytes = true}, 500),
            "migrate: blobs  1.0 kB of 5.0 kB");
  EXPECT_EQ(
      migrate_progress_text({.phase = "blobs", .done = 1'000'000, .total = 3'601'000'000, .in_bytes = true}, 1'000),
      "migrate: blobs  1.0 MB of 3.6 GB  1.0 MB/s  1:00:00 left");
}

}  // namespace
}  // namespace berth::cli
