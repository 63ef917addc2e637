# Every third-party library, found once. All come from Debian 12.
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(BZip2 REQUIRED)
find_package(LibLZMA 5.4 REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(CURL 7.85 REQUIRED)
find_package(prometheus-cpp REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(tl-expected REQUIRED)
find_package(CLI11 REQUIRED)
find_package(GTest REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(tomlplusplus REQUIRED IMPORTED_TARGET tomlplusplus)
pkg_check_modules(seccomp REQUIRED IMPORTED_TARGET libseccomp)
pkg_check_modules(argon2 REQUIRED IMPORTED_TARGET libargon2)
pkg_check_modules(simdjson REQUIRED IMPORTED_TARGET simdjson)
pkg_check_modules(zstd REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(lz4 REQUIRED IMPORTED_TARGET liblz4)

# ONNX Runtime: the system's, else what ./dev took from npm. It is linked into holdfast-engine alone, which is left
# out without it.
find_package(onnxruntime QUIET)
set(HOLDFAST_ONNXRUNTIME ${CMAKE_SOURCE_DIR}/build/npm/onnxruntime CACHE PATH
  "a folder with lib/libonnxruntime.so.1 and the headers in include/")
if(NOT TARGET onnxruntime::onnxruntime AND EXISTS ${HOLDFAST_ONNXRUNTIME}/lib/libonnxruntime.so.1)
  # Beside the programs, so that a build folder can be moved as a whole.
  set(onnxruntime_library ${CMAKE_BINARY_DIR}/lib/libonnxruntime.so.1)
  configure_file(${HOLDFAST_ONNXRUNTIME}/lib/libonnxruntime.so.1 ${onnxruntime_library} COPYONLY)
  add_library(onnxruntime::onnxruntime SHARED IMPORTED GLOBAL)
  set_target_properties(onnxruntime::onnxruntime PROPERTIES
    IMPORTED_LOCATION ${onnxruntime_library} IMPORTED_SONAME libonnxruntime.so.1
    INTERFACE_INCLUDE_DIRECTORIES ${HOLDFAST_ONNXRUNTIME}/include)
endif()
if(NOT TARGET onnxruntime::onnxruntime)
  message(STATUS "ONNX Runtime was not found: holdfast-engine is left out, and with it whatever runs a model; "
    "./dev build installs it")
endif()

# LibTorch, from Debian's libtorch-dev, whose own CMake files ask for what we do not use. It is linked into
# holdfast-lab alone, which is left out without it, and under ThreadSanitizer, which would need a LibTorch of its own.
find_library(torch_library torch)
find_library(torch_cpu_library torch_cpu)
find_library(c10_library c10)
find_path(torch_include torch/torch.h PATH_SUFFIXES torch/csrc/api/include)
if(NOT HOLDFAST_SANITIZE STREQUAL "thread" AND torch_library AND torch_cpu_library AND c10_library AND torch_include)
  add_library(holdfast_torch INTERFACE)
  target_include_directories(holdfast_torch SYSTEM INTERFACE ${torch_include})
  target_link_libraries(holdfast_torch INTERFACE ${torch_library} ${torch_cpu_library} ${c10_library})
else()
  message(STATUS "LibTorch was not found: holdfast-lab is left out, and with it training, attacks and hardening; "
    "./dev build installs it")
endif()
