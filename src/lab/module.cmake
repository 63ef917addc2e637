holdfast_module(lab USES base formats worker data LIBS nlohmann_json::nlohmann_json)
