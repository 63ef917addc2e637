#include "crypto/age_file.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/file.h"

namespace holdfast::crypto {

using base::AtomicFile;
using base::ErrorCode;
using base::fail;
using base::Result;
using base::UniqueFd;

namespace {

constexpr unsigned kSealedMode = 0644;
constexpr unsigned kUnsealedMode = 0600;

Result<> check_is_another(const UniqueFd& in, const std::filesystem::path& out) {
  struct stat input{};
  struct stat output{};
  if (::fstat(in.get(), &input) != 0) return base::fail_errno("cannot read the input", errno);
  if (::stat(out.c_str(), &output) != 0) return {};  // nothing there, or creating it will say what is wrong
  if (input.st_dev != output.st_dev || input.st_ino != output.st_ino) return {};
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("{} is the input itself: name another output", out.string()));
}

Result<> seal_stream(Reader& reader, Writer& writer, const AgeRecipients& recipients,
                     const SealFileOptions& options, base::RandomSource& random) {
  HF_TRY(AgeSealer sealer, AgeSealer::create(writer, recipients, options.form, random));
  HF_CHECK(copy(reader, sealer, options.progress));
  return sealer.finish();
}

Result<> unseal_stream(Reader& reader, Writer& writer, const AgeKeys& keys, const Progress& progress) {
  HF_TRY(AgeUnsealer unsealer, AgeUnsealer::open(reader, keys));
  return copy(unsealer, writer, progress);
}

// Opens both, lets `transform` (Reader&, Writer&) do its work, and commits.
Result<> through_files(const std::filesystem::path& in, const std::filesystem::path& out, unsigned mode,
                       const auto& transform) {
  HF_TRY(const UniqueFd input, base::open_regular_file(in));
  HF_CHECK(check_is_another(input, out));
  HF_TRY(AtomicFile output, AtomicFile::create(out, mode));
  FdReader reader(input.get());
  FdWriter writer(output.fd());
  if (auto done = transform(reader, writer); !done) {
    return fail(std::move(done).error().within(fmt::format("{} to {}", in.string(), out.string())));
  }
  return output.commit();
}

}  // namespace

Result<> seal_file(const std::filesystem::path& in, const std::filesystem::path& out,
                   const AgeRecipients& recipients, const SealFileOptions& options,
                   base::RandomSource& random) {
  return through_files(in, out, kSealedMode, [&](Reader& reader, Writer& writer) {
    return seal_stream(reader, writer, recipients, options, random);
  });
}

Result<> unseal_file(const std::filesystem::path& in, const std::filesystem::path& out, const AgeKeys& keys,
                     const Progress& progress) {
  return through_files(in, out, kUnsealedMode, [&](Reader& reader, Writer& writer) {
    return unseal_stream(reader, writer, keys, progress);
  });
}

}  // namespace holdfast::crypto
