#pragma once

#include <gtest/gtest.h>

#include "intake/inspect_worker.h"

// For the main() of tests whose code looks at files: the test program is then also the jailed worker.

namespace holdfast::intake {

inline int run_tests_or_worker(int argc, char** argv) {
  if (argc == 2 && argv[1] == kInspectWorkerArgument) return run_inspect_worker();
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}

}  // namespace holdfast::intake
