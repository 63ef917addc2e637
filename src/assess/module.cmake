holdfast_module(assess USES base crypto formats data model lab evaluate LIBS PkgConfig::tomlplusplus)
target_compile_definitions(assess_test PRIVATE HOLDFAST_EXAMPLES="${CMAKE_SOURCE_DIR}/examples")
