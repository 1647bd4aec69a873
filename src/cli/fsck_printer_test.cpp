#include "cli/fsck_printer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::cli {
namespace {

using lifecycle::Finding;
using lifecycle::FsckReport;
using lifecycle::Remedy;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

FsckReport report_of(std::uint64_t damaged, std::uint64_t repairable, std::uint64_t repaired) {
  FsckReport report;
  report.phases.push_back({.name = "blobs", .checked = 100, .damaged = damaged, .repaired = repaired});
  report.repairable = repairable;
  return report;
}

struct Closing {
  FsckReport report;
  FsckMode mode;
  std::string_view expected;
};

TEST(FsckSummary, SaysInASentenceWhatItComesTo) {
  FsckReport blocked = report_of(6, 0, 0);
  blocked.blocked = true;
  FsckReport read = report_of(1, 1, 0);
  read.hashed_bytes = 1'500;
  const Closing rows[] = {
      {report_of(0, 0, 0), {}, "No damage found. The content of blobs was not read; --deep does that."},
      {report_of(0, 0, 0), {.deep = true}, "No damage found. Every blob was read (0 B)."},
      {report_of(3, 2, 0), {}, "Found 3 damages; --repair can repair 2; 1 cannot be repaired. The content"},
      {report_of(3, 3, 2), {.repair = true}, "Found 3 damages, repaired 2, failed to repair 1. The content"},
      {read, {}, "Found 1 damage; --repair can repair 1. Only blobs known to be bad were read (1.5 kB)"},
      {blocked,
       {.repair = true},
       "Found 6 damages; nothing was repaired, since the database itself is damaged: restore it from a backup first."},
  };
  for (const Closing& row : rows) EXPECT_THAT(summary_text(row.report, row.mode), HasSubstr(row.expected));
}

TEST(FsckSummary, BlobsThatImagesNeedAreNotForgotten) {
  FsckReport report = report_of(2, 0, 0);
  EXPECT_THAT(summary_text(report, {}), Not(HasSubstr("pushed again")));
  EXPECT_THAT(summary_json(report, {}), HasSubstr("\"waiting\":0"));
  report.waiting = 2;
  EXPECT_THAT(summary_text(report, {}),
              EndsWith("2 blobs that images need are lost: the images named above cannot be pulled until they are "
                       "pushed again."));
  EXPECT_THAT(summary_json(report, {}), HasSubstr("\"waiting\":2"));
}

TEST(FsckFinding, WhatABrokenDatabasePreventedIsNotPromised) {
  const Finding finding{
      .object = "team/app", .what = "counts wrongly", .action = "count anew", .remedy = Remedy::blocked};
  EXPECT_THAT(finding_text(finding), EndsWith("[not repaired: the database has to be restored first]"));
  EXPECT_THAT(finding_json(finding), HasSubstr("\"remedy\":\"blocked\""));
}

TEST(FsckFinding, NothingInItCommandsTheTerminal) {
  const Finding finding{.object = "blobs/\x1b[2J\n", .what = "odd"};
  EXPECT_THAT(finding_text(finding), HasSubstr("blobs/?[2J?: odd"));
}

}  // namespace
}  // namespace berth::cli
