holdfast_module(policy USES base)

# For tests/interop/cedar_differential.py.
add_executable(policy_probe EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/tests/interop/policy_probe.cc)
target_link_libraries(policy_probe PRIVATE holdfast_compiler holdfast_policy)

# libstdc++ 12's stable_sort takes its buffer from a function that it declares deprecated itself, and clang says so here.
set_source_files_properties(${CMAKE_SOURCE_DIR}/src/policy/value.cc PROPERTIES
  COMPILE_OPTIONS $<$<CXX_COMPILER_ID:Clang>:-Wno-deprecated-declarations>)
