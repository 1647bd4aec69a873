// What clients do, one request to its end at a time.
#include "sim/simulation.h"

namespace berth::sim {

using test::RegistryWorld;
using test::run_task;

namespace {

std::string digest_text(std::string_view text) { return RegistryWorld::digest(text).str(); }
std::string brief(const std::string& digest) { return digest.substr(7, 6); }

}  // namespace

void Simulation::step() {
  using Step = void (Simulation::*)();
  static constexpr std::pair<int, Step> kSteps[] = {
      {10, &Simulation::push_blob},     {6, &Simulation::start_session},   {10, &Simulation::append_to_session},
      {6, &Simulation::finish_session}, {1, &Simulation::cancel_session},  {2, &Simulation::repeat_finished},
      {5, &Simulation::mount},          {10, &Simulation::push_image},     {3, &Simulation::push_index},
      {3, &Simulation::delete_tag},     {3, &Simulation::delete_manifest}, {3, &Simulation::delete_blob},
      {8, &Simulation::look},           {5, &Simulation::housekeeping},    {12, &Simulation::arm_fault},
      {2, &Simulation::restart},        {4, &Simulation::cut_power},       {4, &Simulation::pass_time},
  };
  int total = 0;
  for (const auto& [weight, unused] : kSteps) total += weight;
  int at = static_cast<int>(below(static_cast<std::uint64_t>(total)));
  for (const auto& [weight, run] : kSteps) {
    at -= weight;
    if (at >= 0) continue;
    (this->*run)();
    break;
  }
  for (Session& session : sessions_) session.may_be_gone |= world_.clock.now_ms() > session.expires_at;
  std::erase_if(finished_, [&](const Finished& done) { return world_.clock.now_ms() > done.expires_at; });
}

void Simulation::push_blob() {
  const std::string& repo = any_repo();
  const std::string text = one_in(3) ? new_text() : any_text();
  const auto done = world_.push_blob(repo, text);
  if (settle("push blob " + repo + " " + brief(digest_text(text)), {}, outcome(done))) {
    model_.link(repo, digest_text(text));
  }
}

void Simulation::start_session() {
  if (sessions_.size() >= 4) return;
  const std::string& repo = any_repo();
  const auto id = world_.start_upload(repo);
  drain();
  if (!settle("start " + repo, {}, outcome(id))) return;
  sessions_.push_back({.repo = repo,
                       .id = *id,
                       .text = one_in(4) ? any_text() : new_text(),
                       .expires_at = world_.clock.now_ms() + world_.limits.session_idle_ms});
}

/// Where the client has to go on (U7); nullopt if the session is gone, which has to be allowed.
std::optional<std::uint64_t> Simulation::session_offset(Session& session) {
  const auto status = run_task(world_.uploads->status({RegistryWorld::repo(session.repo), session.id}));
  const std::string name = "session " + session.id.substr(0, 6);
  if (!status) {
    const bool struck = world_.fs.struck();
    settle("status of " + name, session.may_be_gone ? outcome(status) : Outcome(), outcome(status));
    if (!struck) std::erase_if(sessions_, [&](const Session& other) { return other.id == session.id; });
    return {};
  }
  const std::uint64_t offset = status->offset_bytes;
  note("status of " + name + " -> " + std::to_string(offset));
  if (offset > session.text.size()) fail_with(name + " has more bytes than were sent");
  if (offset < session.confirmed && !session.may_start_over) fail_with(name + " lost bytes that were confirmed");
  session.confirmed = offset;
  session.may_start_over = false;
  return offset;
}

void Simulation::append_to_session() {
  if (sessions_.empty()) return;
  Session& session = sessions_[below(sessions_.size())];
  const auto offset = session_offset(session);
  if (!offset || !failure_.empty()) return;
  const std::uint64_t length = below(session.text.size() - *offset + 1);
  test::MemorySource::Options body{.piece_bytes = 1 + below(700), .error_at_end = {}, .on_read = {}};
  const bool breaks = one_in(6);
  if (breaks) body.error_at_end = Errc::disconnected;
  const auto done = world_.append(session.repo, session.id, session.text.substr(*offset, length), std::move(body));
  const Outcome expected = breaks ? Outcome(Errc::disconnected) : Outcome();
  session.may_be_gone |= world_.fs.struck();
  if (done && done->offset_bytes != *offset + length) fail_with("an append ended at a wrong offset");
  if (settle("append " + session.id.substr(0, 6) + " +" + std::to_string(length), expected, outcome(done))) {
    session.confirmed = *offset + length;
    session.expires_at = world_.clock.now_ms() + world_.limits.session_idle_ms;
  }
}

void Simulation::finish_session() {
  if (!sessions_.empty()) finish(sessions_[below(sessions_.size())]);
}

void Simulation::finish(Session& picked) {
  const auto offset = session_offset(picked);
  if (!offset || !failure_.empty()) return;
  const Session session = picked;
  const bool wrong = one_in(12);
  const oci::Digest digest = RegistryWorld::digest(wrong ? session.text + "!" : session.text);
  const auto done = world_.finish(session.repo, session.id, digest, session.text.substr(*offset));
  const Outcome expected = wrong ? Outcome(Errc::digest_mismatch) : Outcome();
  const bool struck = world_.fs.struck();
  const bool finished = settle("finish " + session.id.substr(0, 6), expected, outcome(done));
  if (finished) {
    model_.link(session.repo, digest.str());
    finished_.push_back({session.repo, session.id, digest, world_.clock.now_ms() + world_.limits.tombstone_ms});
  }
  picked.may_be_gone |= struck;
  // A client that meets a failing disk tries again at once.
  if (!finished && struck && failure_.empty() && one_in(2)) return finish(picked);
  if (finished || !struck) std::erase_if(sessions_, [&](const Session& s) { return s.id == session.id; });
}

void Simulation::cancel_session() {
  if (sessions_.empty()) return;
  const Session session = sessions_[below(sessions_.size())];
  const auto done = run_task(world_.uploads->cancel({RegistryWorld::repo(session.repo), session.id}));
  settle("cancel " + session.id.substr(0, 6), session.may_be_gone ? outcome(done) : Outcome(), outcome(done));
  std::erase_if(sessions_, [&](const Session& other) { return other.id == session.id; });
}

void Simulation::repeat_finished() {
  if (finished_.empty()) return;
  const Finished& done = finished_[below(finished_.size())];
  settle("repeat " + done.id.substr(0, 6), {}, outcome(world_.finish(done.repo, done.id, done.digest)));
}

void Simulation::mount() {
  const std::string& target = any_repo();
  const auto source = one_in(3) ? std::nullopt : std::optional(any_repo());
  const std::string digest = digest_text(known_text());
  const Outcome expected = model_.can_mount(target, source, digest);
  const auto from = source ? std::optional(RegistryWorld::repo(*source)) : std::nullopt;
  const auto done = run_task(world_.uploads->mount(RegistryWorld::repo(target), from, *oci::Digest::parse(digest)));
  Outcome actual = outcome(done);
  if (done && !*done) actual = Errc::blob_unknown;
  if (settle("mount " + target + " from " + source.value_or("anywhere") + " " + brief(digest), expected, actual)) {
    model_.link(target, digest);
  }
}

void Simulation::put(const std::string& repo, const ModelManifest& manifest, const std::string& tag) {
  const std::string digest = digest_text(manifest.text);
  const Outcome expected = model_.can_put(repo, manifest);
  const auto done = world_.push_manifest(repo, tag.empty() ? digest : tag, manifest.text);
  if (settle("push manifest " + repo + " " + tag + " " + brief(digest), expected, outcome(done))) {
    model_.put(repo, digest, manifest, tag);
  }
}

void Simulation::push_image() {
  const std::string& repo = any_repo();
  ModelManifest manifest;
  std::vector<test::Piece> pieces;
  for (std::uint64_t i = 0; i < 1 + below(2); ++i) {
    const std::string& text = any_text();
    pieces.push_back(test::piece_of(text));
    manifest.blobs.insert(digest_text(text));
    if (one_in(2) && world_.push_blob(repo, text).has_value()) model_.link(repo, digest_text(text));
  }
  test::ManifestExtras extras;
  if (one_in(3)) manifest.subject = extras.subject = any_manifest(repo);
  if (one_in(3)) extras.note = std::to_string(below(3));
  manifest.text = test::image_text(pieces, extras);
  put(repo, manifest, one_in(4) ? "" : any_tag());
}

void Simulation::push_index() {
  const std::string& repo = any_repo();
  const std::string child = any_manifest(one_in(5) ? any_repo() : repo);
  if (child.empty()) return;
  ModelManifest manifest;
  manifest.children.insert(child);
  manifest.text = test::index_text({test::Piece{*oci::Digest::parse(child), 10}});
  put(repo, manifest, any_tag());
}

void Simulation::delete_tag() {
  const std::string& repo = any_repo();
  const std::string tag = any_tag();
  const auto done = world_.delete_manifest(repo, tag);
  if (settle("delete tag " + repo + " " + tag, model_.head_tag(repo, tag), outcome(done))) {
    model_.delete_tag(repo, tag);
  }
}

void Simulation::delete_manifest() {
  const std::string& repo = any_repo();
  const std::string digest = any_manifest(one_in(5) ? any_repo() : repo);
  if (digest.empty()) return;
  const Outcome expected = model_.can_delete_manifest(repo, digest);
  const auto done = world_.delete_manifest(repo, digest);
  if (settle("delete manifest " + repo + " " + brief(digest), expected, outcome(done))) {
    model_.delete_manifest(repo, digest);
  }
}

void Simulation::delete_blob() {
  const std::string& repo = any_repo();
  const std::string digest = digest_text(known_text());
  const Outcome expected = model_.can_delete_blob(repo, digest);
  const auto done = run_task(world_.blobs->remove(RegistryWorld::repo(repo), *oci::Digest::parse(digest)));
  if (settle("delete blob " + repo + " " + brief(digest), expected, outcome(done))) model_.delete_blob(repo, digest);
}

void Simulation::look() {
  const std::string& repo = any_repo();
  const std::string& text = known_text();
  const auto pulled = world_.pull_blob(repo, RegistryWorld::digest(text));
  settle("pull " + repo + " " + brief(digest_text(text)), model_.head_blob(repo, digest_text(text)), outcome(pulled));
  if (pulled && *pulled != text) fail_with("a blob of " + repo + " has wrong bytes");
}

}  // namespace berth::sim
