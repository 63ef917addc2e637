holdfast_module(release COLD USES base store intake audit access registry LIBS nlohmann_json::nlohmann_json)
