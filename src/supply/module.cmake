holdfast_module(supply USES base crypto formats LIBS PkgConfig::tomlplusplus PkgConfig::simdjson)

# As for src/policy/value.cc: stable_sort under clang.
set_source_files_properties(${CMAKE_SOURCE_DIR}/src/supply/advisory_match.cc PROPERTIES
  COMPILE_OPTIONS $<$<CXX_COMPILER_ID:Clang>:-Wno-deprecated-declarations>)
