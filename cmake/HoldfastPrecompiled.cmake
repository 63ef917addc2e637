# The headers that most sources include, parsed once for each set of flags that the compilers tell apart: a sixth off a
# build by GCC, a third by clang. The preset `dev` goes without, so that an include that is missing is seen, and so does
# `tidy`, since clang-tidy reads sources without a build.
option(HOLDFAST_PRECOMPILE "precompile the headers that most sources include" ON)

set(HOLDFAST_COMMON_HEADERS
  <algorithm> <array> <charconv> <chrono> <cstdint> <filesystem> <functional> <map> <memory> <optional> <set> <span>
  <string> <string_view> <utility> <variant> <vector> <fmt/format.h> <nlohmann/json.hpp> <tl/expected.hpp>)

# Lets a target that links holdfast_compiler take them. Kinds: hot and cold modules, tests.
function(holdfast_precompile target kind)
  if(NOT HOLDFAST_PRECOMPILE)
    return()
  endif()
  set(owner holdfast_precompiled_${kind})
  if(NOT TARGET ${owner})
    file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/precompiled_${kind}.cc CONTENT "// Owns the precompiled header.\n")
    add_library(${owner} OBJECT ${CMAKE_BINARY_DIR}/precompiled_${kind}.cc)
    target_link_libraries(${owner} PRIVATE holdfast_compiler tl::expected fmt::fmt nlohmann_json::nlohmann_json)
    target_precompile_headers(${owner} PRIVATE ${HOLDFAST_COMMON_HEADERS})
    if(kind STREQUAL "cold")
      target_compile_options(${owner} PRIVATE $<$<CONFIG:Release>:-O1>)
    elseif(kind STREQUAL "tests")
      set_target_properties(${owner} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
      target_link_libraries(${owner} PRIVATE GTest::gmock)
      target_precompile_headers(${owner} PRIVATE <fstream> <gmock/gmock-more-matchers.h> <gtest/gtest.h>)
      target_compile_options(${owner} PRIVATE -fPIE ${HOLDFAST_TEST_OPTIONS})
    endif()
  endif()
  target_precompile_headers(${target} REUSE_FROM ${owner})
endfunction()
