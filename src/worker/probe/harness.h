#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "worker/process.h"

// How the tests start the probe and have it do something.

namespace holdfast::worker::probe {

inline constexpr std::chrono::seconds kPatience{120};

// The probe lies beside the test program, so that both can be copied and run elsewhere.
inline StartOptions options(std::vector<std::string> arguments, const JailOptions& jail = {}) {
  arguments.insert(arguments.begin(), HOLDFAST_WORKER_PROBE);
  return {.executable = std::filesystem::read_symlink("/proc/self/exe").parent_path() / HOLDFAST_WORKER_PROBE,
          .argv = std::move(arguments),
          .jail = jail};
}

inline Process start(std::vector<std::string> arguments, const JailOptions& jail = {}) {
  auto process = Process::start(options(std::move(arguments), jail));
  EXPECT_TRUE(process.has_value()) << process.error().message;
  return std::move(process).value();
}

// What came of a deed, or the error's message.
inline std::string outcome(Process& process, std::string_view deed, int descriptor = -1) {
  const auto answer = process.exchange(base::as_bytes(deed), deadline_in(kPatience), descriptor);
  return answer ? std::string(base::as_text(*answer)) : answer.error().message;
}

// How a worker in the jail ends that does this.
inline Exit exit_after(std::string_view deed, const JailOptions& jail = {}) {
  auto process = start({"jailed"}, jail);
  EXPECT_FALSE(process.exchange(base::as_bytes(deed), deadline_in(kPatience))) << deed;
  return process.wait(deadline_in(kPatience)).value();
}

}  // namespace holdfast::worker::probe
