holdfast_module(keys USES base crypto store LIBS nlohmann_json::nlohmann_json)
