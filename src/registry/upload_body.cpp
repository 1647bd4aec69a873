// Bytes into a session: what a chunk must be (U5), and the stream from the socket through the hash to the disk.

#include "registry/upload_session.h"

#include <algorithm>
#include <array>

namespace berth::registry {

namespace {

constexpr std::size_t kFirstBytes = 64 * 1024;  // most bodies end within; the others show first that they go on
constexpr std::uint64_t kReserveMax = 64 * 1024 * 1024;

/// What one filling of a buffer brought: bytes may have arrived before the error that ended it (U11).
struct Filled {
  std::size_t bytes = 0;
  Result<void> status;
};

/// Reads until `out` is full or the body ends.
io::Task<Filled> fill(io::ByteSource& body, std::span<std::byte> out) {
  Filled filled;
  while (filled.bytes < out.size()) {
    const auto got = co_await body.read(out.subspan(filled.bytes));
    if (!got) filled.status = fail(Error(got.error()));
    if (!got || *got == 0) break;
    filled.bytes += *got;
  }
  co_return filled;
}

}  // namespace

/// U5: the chunk must continue the session exactly. Checked before a byte is read.
io::Task<Result<void>> Uploads::receive(SessionPtr session, Chunk chunk, io::ByteSource& body) {
  std::optional<std::uint64_t> expected = chunk.declared_length;
  if (chunk.kind != Chunk::Kind::rest) {
    const bool continues =
        chunk.kind == Chunk::Kind::ranged && chunk.first == session->offset_bytes && chunk.last >= chunk.first;
    if (!continues) {
      co_return fail(
          Error(Errc::upload_range, "the chunk does not continue the upload").with_number(session->offset_bytes));
    }
    const std::uint64_t length = chunk.last - chunk.first + 1;
    if (expected && *expected != length) {
      co_return fail(Errc::size_invalid, "Content-Range and Content-Length disagree");
    }
    expected = length;
  }
  if (expected.value_or(1) == 0) co_return Result<void>{};
  BERTH_CO_TRYV(deps_.space.check_upload(expected.value_or(0)));
  // No more than a stretch at a time: what a client announces and never sends must not fill the disk (S1).
  const std::uint64_t ahead = std::min<std::uint64_t>(expected.value_or(0), kReserveMax);
  if (ahead > 0) BERTH_CO_TRYV(co_await session->staged->reserve(session->offset_bytes + ahead));
  co_return co_await stream_body(session, expected, body);
}

/// Whether the next `got` bytes may be written. Space is weighed as the bytes come: a body without a length must not
/// fill the disk.
Result<void> Uploads::accept(const Session& session, std::optional<std::uint64_t> expected, std::uint64_t received,
                             std::size_t got) {
  if (session.closed) return fail(Errc::upload_unknown, "the upload was cancelled");
  if (expected && received > *expected) return fail(Errc::size_invalid, "the body is longer than declared");
  if (got == 0) return {};  // its end, which needs no room
  return deps_.space.take_upload(got);
}

/// What is under way between the socket and the disk: buffers in the order of their bytes.
class Uploads::Pipeline {
 public:
  Pipeline(Session& session, UploadBuffers& buffers)
      : session_(session), buffers_(buffers), running_(std::make_shared<blob::UploadHashes>(session.hashes)) {}

  /// The buffer to fill next, at least `capacity` large. Waits until one is free.
  io::Task<std::span<std::byte>> next_buffer(std::size_t capacity) {
    if (const std::size_t depth = capacity >= blob::kPipelineBytes ? kDepthMax : kDepthMin; depth != depth_) {
      co_await settle();
      for (std::size_t i = depth; i < depth_; ++i) steps_[i].buffer = {};
      depth_ = depth;
      head_ = 0;
    }
    while (under_way_ == depth_) co_await settle_oldest();
    UploadBuffers::Buffer& buffer = steps_[head_].buffer;
    if (buffer.size() < capacity || buffer.size() / 4 > capacity) buffer = UploadBuffers::Buffer(buffers_, capacity);
    co_return buffer.bytes();
  }

  /// Hands on the first `count` bytes of that buffer.
  io::Task<void> append(std::size_t count) {
    const bool is_short = count < blob::kPipelineBytes;
    while (under_way_ > 0 && (is_short || was_short_)) co_await settle_oldest();
    if (!status_) co_return;
    was_short_ = is_short;
    Step& step = steps_[head_];
    step.count = count;
    step.ticket = session_.staged->append(end_, step.buffer.bytes().first(count), running_);
    end_ += count;
    head_ = (head_ + 1) % depth_;
    ++under_way_;
  }

  io::Task<void> settle() {
    while (under_way_ > 0) co_await settle_oldest();
  }
  /// The first failure of what has been settled; nothing is appended after it.
  const Result<void>& status() const { return status_; }

 private:
  static constexpr std::size_t kDepthMin = 2;  // of short buffers, which come when memory is scarce
  static constexpr std::size_t kDepthMax = 4;
  struct Step {
    UploadBuffers::Buffer buffer;
    io::Ticket<blob::UploadHashes> ticket;
    std::uint64_t count = 0;
  };

  io::Task<void> settle_oldest() {
    Step& step = steps_[(head_ + depth_ - under_way_) % depth_];
    auto hashes = co_await step.ticket.get();
    --under_way_;
    if (!status_) co_return;
    if (!hashes) {
      status_ = fail(std::move(hashes).error());
      co_return;
    }
    session_.hashes = *hashes;
    session_.offset_bytes += step.count;
  }

  Session& session_;
  UploadBuffers& buffers_;
  blob::RunningHashes running_;
  std::array<Step, kDepthMax> steps_;
  std::size_t depth_ = kDepthMin;
  std::size_t head_ = 0;       // the step to fill
  std::size_t under_way_ = 0;  // the steps before it
  bool was_short_ = false;
  std::uint64_t end_ = session_.offset_bytes;
  Result<void> status_;
};

/// A few buffers: one fills from the socket while those before it are hashed and written on the disk pool.
io::Task<Result<void>> Uploads::stream_body(SessionPtr session, std::optional<std::uint64_t> expected,
                                            io::ByteSource& body) {
  Pipeline pipeline(*session, buffers_);
  std::size_t capacity =
      std::clamp<std::uint64_t>(expected.value_or(kFirstBytes), 1, std::min(kFirstBytes, buffers_.share_bytes()));
  std::uint64_t received = 0;
  Result<void> result;
  while (result && pipeline.status()) {
    const std::span<std::byte> buffer = co_await pipeline.next_buffer(capacity);
    const Filled filled = co_await fill(body, buffer);
    result = filled.status;
    received += filled.bytes;
    if (auto accepted = accept(*session, expected, received, filled.bytes); !accepted) {
      result = std::move(accepted);
      break;
    }
    if (filled.bytes > 0) co_await pipeline.append(filled.bytes);
    if (filled.bytes < buffer.size()) break;
    capacity = buffers_.share_bytes();
  }
  co_await pipeline.settle();
  if (!pipeline.status()) result = pipeline.status();
  const bool undefined_tail =
      !result && (result.error().code == Errc::no_space || result.error().code == Errc::io_failed);
  if (!session->closed && (undefined_tail || (!result && expected.value_or(0) > received))) {
    // Back to the last good byte, and what was reserved beyond it goes back too. Without a defined end it is over.
    const auto cut = co_await session->staged->truncate(session->offset_bytes);
    if (!cut && undefined_tail) (void)co_await discard(session);
  }
  if (result && expected && received < *expected)
    result = fail(Errc::size_invalid, "the body is shorter than declared");
  co_return result;
}

}  // namespace berth::registry
