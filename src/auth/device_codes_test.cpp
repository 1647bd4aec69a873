#include "auth/device_codes.h"

#include <gtest/gtest.h>

#include <set>

namespace berth::auth {
namespace {

using State = DeviceCodes::State;

class DeviceCodesTest : public ::testing::Test {
 protected:
  DeviceCodes::Begun begin(std::string address = "192.0.2.7") {
    return codes_.begin({.client = "berth on ci-3", .address = std::move(address)}, random_).value();
  }
  static IdentityPtr ann() {
    Identity out;
    out.subject = {.kind = Subject::Kind::user, .id = 7, .name = "ann"};
    return std::make_shared<const Identity>(std::move(out));
  }

  ManualClock clock_;
  SeededRandom random_{1};
  DeviceCodes codes_{clock_};
};

TEST_F(DeviceCodesTest, WhoAgreedSignsTheProgramInOnce) {
  const auto begun = begin();
  EXPECT_EQ(begun.user_code.size(), 9U);
  EXPECT_EQ(begun.user_code[4], '-');
  EXPECT_EQ(codes_.poll(begun.device_code).state, State::pending);
  EXPECT_EQ(codes_.find(begun.user_code)->client, "berth on ci-3");
  EXPECT_TRUE(codes_.decide(begun.user_code, ann()));
  const auto answer = codes_.poll(begun.device_code);
  EXPECT_EQ(answer.state, State::agreed);
  EXPECT_EQ(answer.person->subject.name, "ann");
  EXPECT_EQ(codes_.poll(begun.device_code).state, State::expired);
}

TEST_F(DeviceCodesTest, ACodeIsTypedInAnyCaseWithOrWithoutItsDash) {
  const std::string code = begin().user_code;
  std::string lower = code;
  for (char& c : lower) c = c == '-' ? ' ' : static_cast<char>(c - 'A' + 'a');
  EXPECT_TRUE(codes_.find(lower));
  EXPECT_TRUE(codes_.find(code.substr(0, 4) + code.substr(5)));
  EXPECT_FALSE(codes_.find(code.substr(0, 8)));
  EXPECT_FALSE(codes_.find(code + "B"));
  EXPECT_FALSE(codes_.find(""));
}

TEST_F(DeviceCodesTest, ARefusalIsFinal) {
  const auto begun = begin();
  EXPECT_TRUE(codes_.decide(begun.user_code, nullptr));
  EXPECT_FALSE(codes_.decide(begun.user_code, ann()));
  EXPECT_FALSE(codes_.find(begun.user_code));
  EXPECT_EQ(codes_.poll(begun.device_code).state, State::denied);
}

TEST_F(DeviceCodesTest, ACodeEndsAfterTenMinutes) {
  const auto begun = begin();
  clock_.advance_ms(DeviceCodes::kLifeMs - 1);
  EXPECT_TRUE(codes_.find(begun.user_code));
  clock_.advance_ms(1);
  EXPECT_FALSE(codes_.find(begun.user_code));
  EXPECT_FALSE(codes_.decide(begun.user_code, ann()));
  EXPECT_EQ(codes_.poll(begun.device_code).state, State::expired);
}

TEST_F(DeviceCodesTest, WhoAsksTooOftenIsToldToSlowDown) {
  const auto begun = begin();
  EXPECT_EQ(codes_.poll(begun.device_code).state, State::pending);
  clock_.advance_ms(DeviceCodes::kIntervalMs - 1);
  EXPECT_EQ(codes_.poll(begun.device_code).state, State::slow_down);
  clock_.advance_ms(DeviceCodes::kIntervalMs);
  EXPECT_EQ(codes_.poll(begun.device_code).state, State::slow_down) << "the interval grew";
  clock_.advance_ms(4 * DeviceCodes::kIntervalMs);
  EXPECT_EQ(codes_.poll(begun.device_code).state, State::pending);
}

TEST_F(DeviceCodesTest, TheWaitingAreFew) {
  std::set<std::string> codes;
  for (std::size_t i = 0; i < DeviceCodes::kWaitingMax; ++i)
    codes.insert(
        begin("2001:db8:0:" + std::to_string(i / DeviceCodes::kWaitingPerAddressMax) + "::" + std::to_string(i + 1))
            .user_code);
  EXPECT_EQ(codes.size(), DeviceCodes::kWaitingMax);
  EXPECT_EQ(codes_.begin({.client = "x", .address = "198.51.100.1"}, random_).error().code, Errc::too_many_requests);
  clock_.advance_ms(DeviceCodes::kLifeMs);
  for (std::size_t i = 0; i < DeviceCodes::kWaitingPerAddressMax; ++i) (void)begin();
  const auto one_more = codes_.begin({.client = "x", .address = "192.0.2.7"}, random_);
  EXPECT_EQ(one_more.error().code, Errc::too_many_requests);
  EXPECT_EQ(one_more.error().number, 60U);
}

TEST_F(DeviceCodesTest, NothingElseIsADeviceCode) {
  const auto begun = begin();
  for (const std::string& text : {std::string(), begun.user_code, begun.device_code + "x", std::string(100'000, 'a')})
    EXPECT_EQ(codes_.poll(text).state, State::expired) << text;
}

}  // namespace
}  // namespace berth::auth
