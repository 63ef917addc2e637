holdfast_module(gateway USES base data formats model LIBS fmt::fmt PkgConfig::simdjson)

# Its tests start the engine that lies beside them, where it is built at all.
if(TARGET onnxruntime::onnxruntime)
  add_dependencies(gateway_test holdfast-engine)
  target_compile_definitions(gateway_test PRIVATE HOLDFAST_ENGINE_BUILT=1)
endif()
