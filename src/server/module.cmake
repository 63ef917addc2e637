holdfast_module(server USES base crypto formats data store keys intake net model lab monitor assess audit access registry
  release gateway alerts govern updates
  LIBS OpenSSL::SSL OpenSSL::Crypto Boost::headers Threads::Threads nlohmann_json::nlohmann_json
  prometheus-cpp::core)
# Only server/boost.cc compiles what is not a template.
target_compile_definitions(holdfast_server PRIVATE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION)
if(TARGET holdfast-engine)
  add_dependencies(server_test holdfast-engine)
endif()
if(TARGET holdfast-lab)
  add_dependencies(server_test holdfast-lab)
endif()
