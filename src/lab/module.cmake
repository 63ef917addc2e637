holdfast_module(lab USES base formats worker data LIBS nlohmann_json::nlohmann_json)

# The tests' counterpart: a lab that lies. Found beside the test program.
add_executable(lab_probe ${CMAKE_SOURCE_DIR}/src/lab/probe/main.cc)
target_link_libraries(lab_probe PRIVATE holdfast_compiler holdfast_lab)
target_compile_definitions(lab_test PRIVATE HOLDFAST_LAB_PROBE="$<TARGET_FILE_NAME:lab_probe>")
add_dependencies(lab_test lab_probe)
