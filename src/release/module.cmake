holdfast_module(release USES base store access registry LIBS nlohmann_json::nlohmann_json)
