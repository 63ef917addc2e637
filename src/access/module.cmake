holdfast_module(access USES base crypto policy store keys audit)

# vocabulary.cc holds data/access.cedarschema and data/default.cedar as string literals.
foreach(name access.cedarschema default.cedar)
  set(source ${CMAKE_SOURCE_DIR}/src/access/data/${name})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
  file(READ ${source} text)
  string(MAKE_C_IDENTIFIER ${name} identifier)
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/access/${identifier}.inc
    CONTENT "R\"cedar(${text})cedar\"\n" @ONLY)
endforeach()
target_include_directories(holdfast_access PRIVATE ${CMAKE_BINARY_DIR}/generated/access)
