holdfast_module(worker USES base LIBS PkgConfig::seccomp nlohmann_json::nlohmann_json)

# The tests' counterpart: does forbidden things inside the jail, on command. Found beside the test program.
add_executable(worker_probe ${CMAKE_SOURCE_DIR}/src/worker/probe/main.cc ${CMAKE_SOURCE_DIR}/src/worker/probe/deeds.cc)
target_link_libraries(worker_probe PRIVATE holdfast_compiler holdfast_worker PkgConfig::seccomp)
target_compile_definitions(worker_test PRIVATE HOLDFAST_WORKER_PROBE="$<TARGET_FILE_NAME:worker_probe>")
add_dependencies(worker_test worker_probe)
