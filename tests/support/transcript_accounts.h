#pragma once
// The directives of a transcript that are about accounts: @user, @org, @member, @team, @grant, @robot, @disable,
// @enable, @visibility.

#include "support/test_server.h"
#include "support/transcript_values.h"

#include <string>
#include <vector>

namespace berth::test {

bool is_account_directive(const std::string& word);
/// Errors: what is wrong with the words, or with what they ask for.
Result<void> run_account_directive(TestServer& server, TranscriptValues& values, const std::vector<std::string>& words);

/// What {{token:ann:pw-ann:repository:ann/app:pull}} stands for: the token that /token gives for these credentials
/// (none if both are empty) and scopes.
Result<std::string> fetch_token(WireClient& client, std::string_view argument);

}  // namespace berth::test
