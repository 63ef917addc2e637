holdfast_module(release COLD USES base data store intake audit access trust registry LIBS nlohmann_json::nlohmann_json)
