# Warnings, hardening and sanitizers, in one interface target that every Holdfast target links.
add_library(holdfast_compiler INTERFACE)
target_compile_features(holdfast_compiler INTERFACE cxx_std_20)

set(warnings
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wnon-virtual-dtor
  -Wold-style-cast -Wcast-align -Wundef -Wimplicit-fallthrough -Wdouble-promotion
  -Wformat=2 -Wsuggest-override -Werror
  # Options are structs with designated initialisers; what is not named keeps its default.
  -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  list(APPEND warnings -Wthread-safety -Wnull-dereference)
elseif(HOLDFAST_SANITIZE STREQUAL "")
  # GCC 12 reports -Wnull-dereference, -Wmaybe-uninitialized, -Wrestrict and the -Wstringop family inside
  # libstdc++'s own inlined code (GCC bugs 105329, 105762, 107919); clang keeps watch on the first.
  list(APPEND warnings -Wno-maybe-uninitialized -Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread
    -Wno-array-bounds)
endif()
target_compile_options(holdfast_compiler INTERFACE ${warnings})

if(HOLDFAST_SANITIZE STREQUAL "address")
  set(sanitize -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
elseif(HOLDFAST_SANITIZE STREQUAL "thread")
  set(sanitize -fsanitize=thread -fno-omit-frame-pointer)
elseif(NOT HOLDFAST_SANITIZE STREQUAL "")
  message(FATAL_ERROR "HOLDFAST_SANITIZE is \"${HOLDFAST_SANITIZE}\"; it takes address or thread")
endif()
if(sanitize)
  # Lines are what a report needs of debug information.
  target_compile_options(holdfast_compiler INTERFACE ${sanitize} -gline-tables-only)
  target_link_options(holdfast_compiler INTERFACE ${sanitize})
  target_compile_definitions(holdfast_compiler INTERFACE HOLDFAST_SANITIZED=1)
else()
  target_compile_options(holdfast_compiler INTERFACE
    -fstack-protector-strong -fstack-clash-protection -fcf-protection)
  target_compile_definitions(holdfast_compiler INTERFACE _GLIBCXX_ASSERTIONS)
  target_compile_options(holdfast_compiler INTERFACE $<$<CONFIG:Release>:-U_FORTIFY_SOURCE> $<$<CONFIG:Release>:-D_FORTIFY_SOURCE=2>)
  target_link_options(holdfast_compiler INTERFACE -pie -Wl,-z,relro,-z,now)
endif()
if(HOLDFAST_FUZZ)
  target_compile_options(holdfast_compiler INTERFACE -fsanitize=fuzzer-no-link)
endif()
target_compile_options(holdfast_compiler INTERFACE -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)

# What a test measures is in the library; its own code compiles in two thirds of the time this way, and in less than half
# of it under a sanitizer, which instruments every expansion of gtest's macros.
set(HOLDFAST_TEST_OPTIONS $<$<CONFIG:Release>:-O1>)
if(HOLDFAST_SANITIZE)
  list(APPEND HOLDFAST_TEST_OPTIONS -O0)
endif()
