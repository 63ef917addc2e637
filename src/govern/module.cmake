holdfast_module(govern USES base crypto store audit access evaluate registry release alerts
  LIBS nlohmann_json::nlohmann_json)
