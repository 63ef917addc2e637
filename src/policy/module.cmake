holdfast_module(policy USES base)

# For tests/interop/cedar_differential.py.
add_executable(policy_probe EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/tests/interop/policy_probe.cc)
target_link_libraries(policy_probe PRIVATE holdfast_compiler holdfast_policy)
