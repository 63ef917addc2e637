holdfast_module(inspect USES base crypto formats patterns LIBS OpenSSL::Crypto)

# Lists of names are held as string literals, one a line, since compilers limit a literal's length.
foreach(list IN ITEMS pickle_allow pickle_dangers keras_allow tensorflow_ops torch_ops python_calls)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/inspect/data/${list}.list)
  file(STRINGS ${CMAKE_SOURCE_DIR}/src/inspect/data/${list}.list lines REGEX "^[A-Za-z_]")
  list(TRANSFORM lines PREPEND "    \"")
  list(TRANSFORM lines APPEND "\",")
  list(JOIN lines "\n" lines)
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/${list}_list.inc
    CONTENT "constexpr std::string_view kBuiltinLines[] = {\n${lines}\n};\n" @ONLY)
endforeach()
target_include_directories(holdfast_inspect PRIVATE ${CMAKE_BINARY_DIR}/generated)

# Loops over every byte of weights: vectors, which GCC makes of them at -O3 only.
set_source_files_properties(${CMAKE_SOURCE_DIR}/src/inspect/hidden_content.cc ${CMAKE_SOURCE_DIR}/src/inspect/low_bits.cc
  ${CMAKE_SOURCE_DIR}/src/inspect/weight_range.cc PROPERTIES COMPILE_OPTIONS $<$<CONFIG:Release>:-O3>)

# As for src/policy/value.cc: stable_sort under clang.
set_source_files_properties(${CMAKE_SOURCE_DIR}/src/inspect/pickle_allow.cc PROPERTIES
  COMPILE_OPTIONS $<$<CXX_COMPILER_ID:Clang>:-Wno-deprecated-declarations>)
