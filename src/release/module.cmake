holdfast_module(release COLD USES base store intake access registry LIBS nlohmann_json::nlohmann_json)
