holdfast_module(release USES base access registry LIBS nlohmann_json::nlohmann_json)
