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

/// Two buffers: one fills from the socket while the other is hashed and written on the disk pool.
io::Task<Result<void>> Uploads::stream_body(SessionPtr session, std::optional<std::uint64_t> expected,
                                            io::ByteSource& body) {
  std::array<UploadBuffers::Buffer, 2> buffers;
  std::size_t capacity =
      std::clamp<std::uint64_t>(expected.value_or(kFirstBytes), 1, std::min(kFirstBytes, buffers_.share_bytes()));
  io::Ticket<void> writing;
  std::uint64_t writing_bytes = 0;
  std::uint64_t received = 0;
  Result<void> result;
  for (std::size_t turn = 0;; turn ^= 1) {
    UploadBuffers::Buffer& buffer = buffers[turn];
    if (buffer.size() < capacity || buffer.size() / 4 > capacity) buffer = UploadBuffers::Buffer(buffers_, capacity);
    Filled filled = co_await fill(body, buffer.bytes());
    std::size_t got = filled.bytes;
    result = std::move(filled.status);
    received += got;
    if (auto accepted = accept(*session, expected, received, got); !accepted) {
      result = std::move(accepted);
      got = 0;
    }
    if (writing.pending()) {
      auto written = co_await writing.get();
      if (!written) {
        result = std::move(written);
        break;
      }
      session->offset_bytes += writing_bytes;
    }
    if (got == 0) break;
    writing_bytes = got;
    writing = session->staged->append(session->offset_bytes, buffer.bytes().first(got), session->hashes);
    if (!result || got < buffer.size()) break;
    capacity = buffers_.share_bytes();
  }
  if (writing.pending()) {
    auto written = co_await writing.get();
    if (written) {
      session->offset_bytes += writing_bytes;
    } else {
      result = std::move(written);
    }
  }
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
