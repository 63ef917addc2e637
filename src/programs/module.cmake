holdfast_program(holdfast SOURCES holdfast.cc server_backend.cc USES cli intake keys server updates)
holdfast_program(holdfast-engine SOURCES holdfast_engine.cc USES model_ort)
if(TARGET holdfast-engine)
  # The library lies in ../lib, seen from the program.
  set_target_properties(holdfast-engine PROPERTIES BUILD_RPATH_USE_ORIGIN ON INSTALL_RPATH "$ORIGIN/../lib")
endif()
holdfast_program(holdfast-lab SOURCES holdfast_lab.cc USES model_torch)
