holdfast_module(updates USES base crypto formats inspect supply LIBS nlohmann_json::nlohmann_json ${CMAKE_DL_LIBS})

# What the programs are made of, as the packages of this machine have it: <name>;<how>;<what is looked for>, where <how>
# is "shared" for a library that is loaded when a program starts, and "inside" for headers that were compiled into it.
set(HOLDFAST_COMPONENTS
  "OpenSSL|shared|crypto" "SQLite|shared|sqlite3" "libcurl|shared|curl" "zlib|shared|z" "bzip2|shared|bz2"
  "XZ Utils|shared|lzma" "Zstandard|shared|zstd" "LZ4|shared|lz4" "libseccomp|shared|seccomp" "Argon2|shared|argon2"
  "simdjson|shared|simdjson" "fmt|shared|fmt" "spdlog|shared|spdlog" "toml++|shared|tomlplusplus"
  "prometheus-cpp|shared|prometheus-cpp-core" "LibTorch|shared|torch"
  "Boost|inside|boost/version.hpp" "JSON for Modern C++|inside|nlohmann/json.hpp" "CLI11|inside|CLI/CLI.hpp"
  "tl::expected|inside|tl/expected.hpp")

# The package that owns a file, and its version, source and architecture; empty where dpkg knows of none. Packages of
# Debian's merged /usr are recorded by either path, so the name alone is asked for.
function(holdfast_package_of file out)
  set(${out} "||||" PARENT_SCOPE)
  find_program(DPKG_QUERY dpkg-query)
  if(NOT DPKG_QUERY OR NOT EXISTS "${file}")
    return()
  endif()
  get_filename_component(file "${file}" REALPATH)
  string(REGEX REPLACE "^/usr/" "*/" pattern "${file}")
  string(REGEX REPLACE "^/lib/" "*/lib/" pattern "${pattern}")
  execute_process(COMMAND ${DPKG_QUERY} -S "${pattern}" OUTPUT_VARIABLE owner ERROR_QUIET)
  if(NOT owner MATCHES "^([^:, ]+)")
    return()
  endif()
  execute_process(COMMAND ${DPKG_QUERY} -W -f "\${Package}|\${Version}|\${source:Package}|\${Architecture}\n"
    ${CMAKE_MATCH_1} OUTPUT_VARIABLE facts ERROR_QUIET)
  if(facts MATCHES "^([^\n]+)\n")
    set(${out} "${CMAKE_MATCH_1}" PARENT_SCOPE)
  endif()
endfunction()

# One line a component: name|how|package|version|source|architecture. Asked once for each build folder and set of
# packages, since dpkg takes a second for it.
function(holdfast_write_components)
  set(stamp "")
  if(EXISTS /var/lib/dpkg/status)
    file(TIMESTAMP /var/lib/dpkg/status stamp)
  endif()
  file(SHA256 ${CMAKE_SOURCE_DIR}/src/updates/module.cmake own)
  set(generated ${CMAKE_BINARY_DIR}/generated/components.inc)
  if(EXISTS ${generated} AND HOLDFAST_COMPONENTS_OF STREQUAL "${stamp} ${own}")
    return()
  endif()
  set(lines "")
  foreach(component IN LISTS HOLDFAST_COMPONENTS)
    string(REPLACE "|" ";" parts "${component}")
    list(GET parts 0 name)
    list(GET parts 1 how)
    list(GET parts 2 wanted)
    unset(found)
    unset(found CACHE)
    if(how STREQUAL "shared")
      find_library(found ${wanted})
    else()
      find_path(found ${wanted})
      set(found "${found}/${wanted}")
    endif()
    holdfast_package_of("${found}" facts)
    unset(found CACHE)
    string(APPEND lines "    \"${name}|${how}|${facts}\",\n")
  endforeach()
  file(READ ${CMAKE_SOURCE_DIR}/third_party/onnxruntime/package-lock.json lock)
  string(JSON version GET "${lock}" packages node_modules/onnxruntime-node version)
  string(APPEND lines "    \"ONNX Runtime|npm|onnxruntime-node|${version}||\",\n")
  set(distribution "|")
  if(EXISTS /etc/os-release)
    file(STRINGS /etc/os-release id REGEX "^ID=")
    file(STRINGS /etc/os-release number REGEX "^VERSION_ID=")
    string(REGEX REPLACE "^[A-Z_]*=|\"" "" id "${id}")
    string(REGEX REPLACE "^[A-Z_]*=|\"" "" number "${number}")
    set(distribution "${id}|${number}")
  endif()
  file(CONFIGURE OUTPUT ${generated} CONTENT
    "constexpr std::string_view kBuiltOn = \"${distribution}\";\nconstexpr std::string_view kComponents[] = {\n${lines}};\n"
    @ONLY)
  set(HOLDFAST_COMPONENTS_OF "${stamp} ${own}" CACHE INTERNAL "what components.inc was made of")
endfunction()
holdfast_write_components()

# The day of the program: of its last commit, so that equal sources make equal programs.
execute_process(COMMAND git -C ${CMAKE_SOURCE_DIR} log -1 --format=%cs OUTPUT_VARIABLE day
  OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT day MATCHES "^[0-9-]+$")
  string(TIMESTAMP day "%Y-%m-%d" UTC)
endif()
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/program_day.inc
  CONTENT "constexpr std::string_view kProgramDay = \"${day}\";\n" @ONLY)
target_include_directories(holdfast_updates PRIVATE ${CMAKE_BINARY_DIR}/generated)
