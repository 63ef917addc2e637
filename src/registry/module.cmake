holdfast_module(registry COLD USES base crypto formats policy data inspect store supply worker keys intake model lab evaluate audit
  access assess trust LIBS nlohmann_json::nlohmann_json)
