holdfast_module(release COLD USES base store intake audit access trust registry LIBS nlohmann_json::nlohmann_json)
