if(NOT TARGET holdfast_torch)
  # What it would use is still checked.
  holdfast_check_uses(model_torch base formats worker stats lab)
  return()
endif()
holdfast_module(model_torch USES base formats worker stats lab LIBS holdfast_torch)

# Its counterpart in the tests is the program itself.
add_dependencies(model_torch_test holdfast-lab)
