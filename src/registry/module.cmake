holdfast_module(registry COLD USES base crypto formats policy data inspect store worker keys intake model lab evaluate audit
  access assess LIBS nlohmann_json::nlohmann_json)
