holdfast_module(updates USES base crypto formats inspect LIBS nlohmann_json::nlohmann_json)
