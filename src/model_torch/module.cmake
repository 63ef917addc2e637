if(NOT TARGET holdfast_torch)
  # What it would use is still checked.
  holdfast_check_uses(model_torch base formats worker stats lab)
  return()
endif()
holdfast_module(model_torch USES base formats worker stats lab LIBS holdfast_torch)

# LibTorch's header takes 20 s to read: once for the three files that include it.
target_precompile_headers(holdfast_model_torch PRIVATE <torch/torch.h>)
foreach(file lab_worker request_data)
  set_source_files_properties(${CMAKE_SOURCE_DIR}/src/model_torch/${file}.cc PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
endforeach()


# Its counterpart in the tests is the program itself.
add_dependencies(model_torch_test holdfast-lab)
