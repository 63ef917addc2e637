holdfast_module(server USES base crypto formats data store keys net model monitor assess audit access registry release
  gateway alerts
  LIBS OpenSSL::SSL OpenSSL::Crypto Boost::headers Threads::Threads nlohmann_json::nlohmann_json)
