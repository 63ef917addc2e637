if(NOT TARGET holdfast_torch)
  # What it would use is still checked.
  holdfast_check_uses(model_torch base formats worker stats lab model)
  return()
endif()
holdfast_module(model_torch USES base formats worker stats lab model LIBS holdfast_torch)

# Its counterparts in the tests are the programs themselves, the engine where it is built.
add_dependencies(model_torch_test holdfast-lab)
if(TARGET onnxruntime::onnxruntime)
  add_dependencies(model_torch_test holdfast-engine)
endif()
