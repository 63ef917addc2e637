holdfast_module(trust COLD USES base crypto inspect supply audit LIBS PkgConfig::tomlplusplus nlohmann_json::nlohmann_json)
