holdfast_module(govern COLD USES base crypto store audit access policy evaluate intake registry release alerts updates
  LIBS nlohmann_json::nlohmann_json)
