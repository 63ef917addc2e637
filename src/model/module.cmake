holdfast_module(model USES base crypto formats worker LIBS fmt::fmt)

# The engine that the tests start lies beside them, where it is built at all.
if(TARGET onnxruntime::onnxruntime)
  add_dependencies(model_test holdfast-engine)
  target_compile_definitions(model_test PRIVATE HOLDFAST_ENGINE_BUILT=1)
endif()
