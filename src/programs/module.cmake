holdfast_program(holdfast SOURCES holdfast.cc USES cli intake)
if(TARGET holdfast_model_ort)
  holdfast_program(holdfast-engine SOURCES holdfast_engine.cc USES model_ort)
  # The library lies in ../lib, seen from the program.
  set_target_properties(holdfast-engine PROPERTIES BUILD_RPATH_USE_ORIGIN ON INSTALL_RPATH "$ORIGIN/../lib")
endif()
if(TARGET holdfast_model_torch)
  holdfast_program(holdfast-lab SOURCES holdfast_lab.cc USES model_torch)
endif()
