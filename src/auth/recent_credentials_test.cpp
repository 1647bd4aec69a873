#include "auth/recent_credentials.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

namespace berth::auth {
namespace {

class RecentCredentialsTest : public testing::Test {
 protected:
  static IdentityPtr identity(std::string name) {
    Identity out;
    out.subject.name = std::move(name);
    return std::make_shared<const Identity>(std::move(out));
  }
  void put(std::string_view header, const IdentityPtr& who) {
    recent_->put(header, *epochs_->stamp_with_accounts(meta::Epochs::kAccounts), who);
  }
  std::string who(std::string_view header) {
    const auto found = recent_->find(header);
    return found ? found->subject.name : "";
  }
  void change(std::vector<meta::Epochs::Stripe> stripes) { meta::Epochs::Change(*epochs_, std::move(stripes), false); }

  SystemRandom random_;
  std::unique_ptr<meta::Epochs> epochs_ = std::make_unique<meta::Epochs>();
  std::unique_ptr<RecentCredentials> recent_ = std::make_unique<RecentCredentials>(*epochs_, random_);
};

TEST_F(RecentCredentialsTest, FindsTheSameBytesOnly) {
  const std::string header = "Bearer " + std::string(600, 'x') + "signature";
  put(header, identity("ann"));
  EXPECT_EQ(who(header), "ann");
  for (std::size_t at = 0; at < header.size(); ++at) {
    std::string other = header;
    other[at] ^= 1;
    EXPECT_EQ(who(other), "") << at;
  }
  EXPECT_EQ(who(header + "="), "");
  EXPECT_EQ(who(header.substr(0, header.size() - 1)), "");
  EXPECT_EQ(who(""), "");
}

TEST_F(RecentCredentialsTest, EndsWithAChangeOfAccounts) {
  const std::string header = "Basic YW5uOnBhc3N3b3Jk";
  put(header, identity("ann"));
  change({meta::Epochs::kAccounts - 1});
  EXPECT_EQ(who(header), "ann") << "a repository's change is none of its business";
  change({meta::Epochs::kAccounts});
  EXPECT_EQ(who(header), "");
}

TEST_F(RecentCredentialsTest, HoldsNothingWhileAChangeIsUnderWay) {
  const std::string header = "Basic YW5uOnBhc3N3b3Jk";
  put(header, identity("ann"));
  const meta::Epochs::Change change(*epochs_, {meta::Epochs::kAccounts}, false);
  EXPECT_EQ(who(header), "");
}

TEST_F(RecentCredentialsTest, IsOfFixedSize) {
  const auto header = [](int i) { return "Bearer " + std::string(100, 'x') + std::to_string(100'000 + i); };
  for (int i = 0; i < 1000; ++i) put(header(i), identity(std::to_string(i)));
  int found = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::string name = who(header(i));
    EXPECT_TRUE(name.empty() || name == std::to_string(i)) << name;
    found += name.empty() ? 0 : 1;
  }
  EXPECT_LE(found, 32);
  EXPECT_EQ(who(header(999)), "999");
  put(std::string(3000, 'x'), identity("long"));
  EXPECT_EQ(who(std::string(3000, 'x')), "") << "not worth its memory";
  put("Bearer x", identity("short"));
  EXPECT_EQ(who("Bearer x"), "");
}

TEST_F(RecentCredentialsTest, ThreadsDoNotMixThemUp) {
  std::vector<std::thread> threads;
  for (int number = 0; number < 40; ++number) {  // more than there are tables
    threads.emplace_back([this, number] {
      const std::string name = "user" + std::to_string(number % 3);
      const std::string header = "Basic the header of " + name;
      for (int i = 0; i < 300; ++i) {
        const std::string found = who(header);
        EXPECT_TRUE(found.empty() || found == name) << found;
        put(header, identity(name));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace berth::auth
