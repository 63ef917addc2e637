# A module is a folder under src/ with a module.cmake that calls
#   holdfast_module(NAME [COLD] USES <modules> LIBS <private libraries> PUBLIC_LIBS <libraries its headers need>)
# COLD: it waits for people, disks and other processes, so that the build's time counts for more than its own.
# USES is what the module really includes; the layers below are the upper bound on it. Both are checked here, at
# configure time, and the includes themselves by cmake/check_boundaries.cmake, as a test.

# From docs: only modules of an earlier line may be used, never beside. One list a line.
set(HOLDFAST_LAYERS
  "base"
  "crypto,stats,formats,policy"
  "patterns,worker,net"
  "data,inspect,store,supply"
  "model,monitor,keys,intake,lab,updates"
  "model_ort,model_torch"
  "evaluate,privacy,audit"
  "access,assess,trust"
  "registry"
  "release"
  "gateway"
  "alerts"
  "govern"
  "server,cli"
  "programs")

function(holdfast_layer module out)
  set(index 0)
  foreach(layer IN LISTS HOLDFAST_LAYERS)
    string(REPLACE "," ";" names "${layer}")
    if(module IN_LIST names)
      set(${out} ${index} PARENT_SCOPE)
      return()
    endif()
    math(EXPR index "${index} + 1")
  endforeach()
  message(FATAL_ERROR "module ${module} has no layer in cmake/HoldfastModule.cmake")
endfunction()

function(holdfast_check_uses module)
  holdfast_layer(${module} own)
  foreach(used IN LISTS ARGN)
    holdfast_layer(${used} theirs)
    if(NOT theirs LESS own)
      message(FATAL_ERROR "src/${module}/module.cmake: ${module} may not use ${used}: it is not in a layer below")
    endif()
  endforeach()
  set_property(GLOBAL APPEND PROPERTY HOLDFAST_USES_${module} ${ARGN})
endfunction()

function(holdfast_module name)
  cmake_parse_arguments(arg "COLD" "" "USES;LIBS;PUBLIC_LIBS" ${ARGN})
  holdfast_check_uses(${name} ${arg_USES})
  set(folder ${CMAKE_SOURCE_DIR}/src/${name})
  file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.cc)
  file(GLOB tests CONFIGURE_DEPENDS ${folder}/*_test.cc)
  file(GLOB fuzzers CONFIGURE_DEPENDS ${folder}/*_fuzz.cc)
  list(REMOVE_ITEM sources ${tests} ${fuzzers})

  add_library(holdfast_${name} STATIC ${sources})
  target_include_directories(holdfast_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(holdfast_${name} PRIVATE holdfast_compiler ${arg_LIBS} PUBLIC ${arg_PUBLIC_LIBS})
  if(arg_COLD)
    target_compile_options(holdfast_${name} PRIVATE $<$<CONFIG:Release>:-O1>)
    holdfast_precompile(holdfast_${name} cold)
  else()
    holdfast_precompile(holdfast_${name} hot)
  endif()
  foreach(used IN LISTS arg_USES)
    target_link_libraries(holdfast_${name} PUBLIC holdfast_${used})
  endforeach()

  if(tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE holdfast_compiler holdfast_${name} ${arg_LIBS} GTest::gmock_main)
    target_compile_definitions(${name}_test PRIVATE HOLDFAST_TESTDATA="${folder}/testdata")
    target_compile_options(${name}_test PRIVATE ${HOLDFAST_TEST_OPTIONS})
    holdfast_precompile(${name}_test tests)
    add_test(NAME ${name} COMMAND ${name}_test)
    set_tests_properties(${name} PROPERTIES TIMEOUT 300)
  endif()
  foreach(fuzzer IN LISTS fuzzers)
    holdfast_fuzz_target(${name} ${fuzzer})
  endforeach()
endfunction()

# src/<module>/<name>_fuzz.cc with its corpus in src/<module>/testdata/fuzz/<name>/. With HOLDFAST_FUZZ it is a
# libFuzzer program; otherwise it replays the corpus, as a test.
function(holdfast_fuzz_target module source)
  get_filename_component(target ${source} NAME_WE)
  string(REGEX REPLACE "_fuzz$" "" subject ${target})
  set(corpus ${CMAKE_SOURCE_DIR}/src/${module}/testdata/fuzz/${subject})
  add_executable(${target} ${source})
  target_link_libraries(${target} PRIVATE holdfast_compiler holdfast_${module})
  if(HOLDFAST_FUZZ)
    target_link_options(${target} PRIVATE -fsanitize=fuzzer)
    set_property(GLOBAL APPEND PROPERTY HOLDFAST_FUZZERS ${target})
  else()
    target_sources(${target} PRIVATE ${CMAKE_SOURCE_DIR}/tests/replay_corpus.cc)
    add_test(NAME ${target} COMMAND ${target} ${corpus})
    set_tests_properties(${target} PROPERTIES TIMEOUT 300)
  endif()
endfunction()

# Declares programs: holdfast_program(NAME SOURCES <files> USES <modules>), placed in bin/ and built by the target
# `programs`. One that uses a module that is not built, since its runtime was not found, is left out.
function(holdfast_program name)
  cmake_parse_arguments(arg "" "" "SOURCES;USES;LIBS" ${ARGN})
  holdfast_check_uses(programs ${arg_USES})
  foreach(used IN LISTS arg_USES)
    if(NOT TARGET holdfast_${used})
      message(STATUS "${name} is left out, since src/${used} is not built")
      return()
    endif()
  endforeach()
  list(TRANSFORM arg_SOURCES PREPEND ${CMAKE_SOURCE_DIR}/src/programs/)
  add_executable(${name} ${arg_SOURCES})
  target_compile_definitions(${name} PRIVATE HOLDFAST_VERSION="${PROJECT_VERSION}")
  target_link_libraries(${name} PRIVATE holdfast_compiler ${arg_LIBS})
  if(NOT TARGET programs)
    add_custom_target(programs)
  endif()
  add_dependencies(programs ${name})
  foreach(used IN LISTS arg_USES)
    target_link_libraries(${name} PRIVATE holdfast_${used})
  endforeach()
endfunction()

# Includes src/*/module.cmake, lower layers first, and adds the test of the boundaries.
function(holdfast_add_modules)
  set(uses "")
  foreach(layer IN LISTS HOLDFAST_LAYERS)
    string(REPLACE "," ";" names "${layer}")
    foreach(module IN LISTS names)
      if(EXISTS ${CMAKE_SOURCE_DIR}/src/${module}/module.cmake)
        include(${CMAKE_SOURCE_DIR}/src/${module}/module.cmake)
        get_property(used GLOBAL PROPERTY HOLDFAST_USES_${module})
        string(REPLACE ";" "," used "${used}")
        list(APPEND uses "-DUSES_${module}=${used}")
      endif()
    endforeach()
  endforeach()
  add_test(NAME boundaries COMMAND ${CMAKE_COMMAND} -DSOURCE=${CMAKE_SOURCE_DIR}/src ${uses}
    -P ${CMAKE_SOURCE_DIR}/cmake/check_boundaries.cmake)
endfunction()
