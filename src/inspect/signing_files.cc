#include "inspect/signing_files.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>

#include "base/assert.h"
#include "base/file.h"
#include "base/mutex.h"

namespace holdfast::inspect {

namespace fs = std::filesystem;
using base::Bytes;
using base::Error;
using base::ErrorCode;
using base::fail;
using base::Result;

namespace {

constexpr std::size_t kStepBytes = 1UL << 20;

tl::unexpected<Error> unreadable(const fs::path& path, const std::error_code& error) {
  return base::fail_errno(fmt::format("cannot read {}", path.string()), error.value());
}

class Finder {
 public:
  Finder(const fs::path& artefact, std::span<const std::string> ignored, bool allow_symlinks)
      : artefact_(artefact), ignored_(ignored), allow_symlinks_(allow_symlinks) {}

  Result<FoundFiles> find() {
    std::error_code error;
    const fs::file_status status = fs::status(artefact_, error);
    if (error) return unreadable(artefact_, error);
    if (fs::is_directory(status)) {
      pending_.emplace_back();
    } else {
      HF_CHECK(add(".", artefact_, status));
    }
    while (!pending_.empty()) {
      const std::string folder = std::move(pending_.back());
      pending_.pop_back();
      HF_CHECK(visit(folder));
    }
    std::sort(found_.files.begin(), found_.files.end(),
              [](const FoundFile& a, const FoundFile& b) { return component_less(a.name, b.name); });
    std::sort(found_.links.begin(), found_.links.end(), component_less);
    std::sort(found_.irregular.begin(), found_.irregular.end(), component_less);
    return std::move(found_);
  }

 private:
  // Folders wait in pending_ rather than on the stack; "" is the artefact itself.
  Result<> visit(const std::string& folder) {
    const fs::path path = folder.empty() ? artefact_ : artefact_ / folder;
    std::error_code error;
    fs::directory_iterator at(path, error);
    for (; !error && at != fs::directory_iterator(); at.increment(error)) {
      if (++entries_ > kMaxArtefactEntries) {
        return fail(ErrorCode::kLimitExceeded, fmt::format("{} holds more than {} files and folders",
                                                           artefact_.string(), kMaxArtefactEntries));
      }
      const std::string leaf = at->path().filename().string();
      const std::string name = folder.empty() ? leaf : fmt::format("{}/{}", folder, leaf);
      if (is_ignored(name, ignored_)) continue;
      std::error_code entry_error;
      const fs::file_status status = at->symlink_status(entry_error);
      if (entry_error) return unreadable(at->path(), entry_error);
      HF_CHECK(add(name, at->path(), status));
    }
    if (error) return unreadable(path, error);
    return {};
  }

  Result<> add(const std::string& name, const fs::path& path, fs::file_status status) {
    if (fs::is_symlink(status)) {
      std::error_code error;
      status = allow_symlinks_ ? fs::status(path, error) : fs::file_status(fs::file_type::none);
      if (!fs::is_regular_file(status)) {
        found_.links.push_back(name);
        return {};
      }
    }
    if (fs::is_directory(status)) {
      pending_.push_back(name);
    } else if (fs::is_regular_file(status)) {
      std::error_code error;
      const std::uintmax_t size = fs::file_size(path, error);
      if (error) return unreadable(path, error);
      found_.files.push_back({.name = name, .size = size});
    } else {
      found_.irregular.push_back(name);
    }
    return {};
  }

  const fs::path& artefact_;
  std::span<const std::string> ignored_;
  bool allow_symlinks_;
  std::vector<std::string> pending_;
  std::size_t entries_ = 0;
  FoundFiles found_;
};

// A digest of OpenSSL's, used by one thread.
class Hasher {
 public:
  explicit Hasher(ManifestHash hash)
      : algorithm_(EVP_MD_fetch(nullptr, hash == ManifestHash::kSha256 ? "SHA256" : "BLAKE2B-512", nullptr)),
        context_(EVP_MD_CTX_new()) {
    HF_ASSERT(algorithm_ != nullptr && context_ != nullptr);
  }

  // `step` is told of the bytes as they pass, and ends the work by giving false.
  Result<Bytes> hash(const HashTask& task, const auto& step) {
    HF_TRY(const base::UniqueFd fd, base::open_regular_file(task.file));
    HF_ASSERT(EVP_DigestInit_ex2(context_.get(), algorithm_.get(), nullptr) == 1);
    for (std::uint64_t done = 0; done < task.size;) {
      const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(buffer_.size(), task.size - done));
      auto got =
          base::read_full_at(fd.get(), task.offset + done, base::MutableByteView(buffer_).first(wanted));
      if (!got) return fail(std::move(got).error().within(task.file.string()));
      if (*got < wanted) {
        return fail(ErrorCode::kConflict, fmt::format("{} shrank while it was read", task.file.string()));
      }
      HF_ASSERT(EVP_DigestUpdate(context_.get(), buffer_.data(), wanted) == 1);
      done += wanted;
      if (!step(wanted)) break;
    }
    Bytes digest(static_cast<std::size_t>(EVP_MD_get_size(algorithm_.get())));
    HF_ASSERT(EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) == 1);
    return digest;
  }

 private:
  struct Free {
    void operator()(EVP_MD* algorithm) const { EVP_MD_free(algorithm); }
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD, Free> algorithm_;
  std::unique_ptr<EVP_MD_CTX, Free> context_;
  Bytes buffer_ = Bytes(kStepBytes);
};

// Tasks taken in turn by two threads. Only the caller's reports progress, of both.
class HashRun {
 public:
  HashRun(std::span<const HashTask> tasks, ManifestHash hash, const SigningProgress& progress)
      : tasks_(tasks), hash_(hash), progress_(progress), digests_(tasks.size()) {
    for (const HashTask& task : tasks) total_ += task.size;
  }

  Result<std::vector<Bytes>> run() {
    {
      const std::jthread helper = start_helper();
      work([this] { report(); });
      while (helper_steps()) report();
      report();
    }
    const base::MutexLock lock(mutex_);
    if (error_) return fail(*std::move(error_));
    return std::move(digests_);
  }

 private:
  std::jthread start_helper() HF_EXCLUDES(mutex_) {
    if (tasks_.size() < 2) return {};
    set_helping(true);
    try {
      return std::jthread([this] {
        work([] {});
        set_helping(false);
      });
    } catch (const std::system_error&) {  // no thread to be had: the caller does it all
      set_helping(false);
      return {};
    }
  }

  void work(const auto& after_step) HF_EXCLUDES(mutex_) {
    Hasher hasher(hash_);
    while (const auto index = take()) {
      auto digest = hasher.hash(tasks_[*index], [&](std::size_t bytes) {
        const bool go_on = advance(bytes);
        after_step();
        return go_on;
      });
      finish(*index, std::move(digest));
    }
  }

  std::optional<std::size_t> take() HF_EXCLUDES(mutex_) {
    const base::MutexLock lock(mutex_);
    if (error_ || next_ == tasks_.size()) return std::nullopt;
    return next_++;
  }

  bool advance(std::size_t bytes) HF_EXCLUDES(mutex_) {
    const base::MutexLock lock(mutex_);
    done_ += bytes;
    changed_.notify_one();
    return !error_;
  }

  void finish(std::size_t index, Result<Bytes> digest) HF_EXCLUDES(mutex_) {
    const base::MutexLock lock(mutex_);
    if (digest) {
      digests_[index] = *std::move(digest);
    } else if (!error_) {
      error_ = std::move(digest).error();
    }
  }

  void set_helping(bool helping) HF_EXCLUDES(mutex_) {
    const base::MutexLock lock(mutex_);
    helping_ = helping;
    changed_.notify_one();
  }

  // Waits for the helper's next step; false once it has ended.
  bool helper_steps() HF_EXCLUDES(mutex_) {
    const base::MutexLock lock(mutex_);
    const std::uint64_t before = done_;
    while (helping_ && done_ == before) changed_.wait(mutex_);
    return helping_;
  }

  void report() HF_EXCLUDES(mutex_) {
    if (!progress_) return;
    std::uint64_t done = 0;
    {
      const base::MutexLock lock(mutex_);
      done = done_;
    }
    progress_(done, total_);
  }

  std::span<const HashTask> tasks_;
  ManifestHash hash_;
  const SigningProgress& progress_;
  std::uint64_t total_ = 0;
  base::Mutex mutex_;
  base::ConditionVariable changed_;
  std::size_t next_ HF_GUARDED_BY(mutex_) = 0;
  std::uint64_t done_ HF_GUARDED_BY(mutex_) = 0;
  bool helping_ HF_GUARDED_BY(mutex_) = false;
  std::optional<Error> error_ HF_GUARDED_BY(mutex_);
  std::vector<Bytes> digests_ HF_GUARDED_BY(mutex_);
};

}  // namespace

Result<FoundFiles> find_files(const fs::path& artefact, std::span<const std::string> ignored,
                              bool allow_symlinks) {
  return Finder(artefact, ignored, allow_symlinks).find();
}

Result<std::vector<Bytes>> hash_all(std::span<const HashTask> tasks, ManifestHash hash,
                                    const SigningProgress& progress) {
  return HashRun(tasks, hash, progress).run();
}

}  // namespace holdfast::inspect
