holdfast_module(release USES base store intake access registry LIBS nlohmann_json::nlohmann_json)
