holdfast_module(intake USES base formats worker inspect LIBS nlohmann_json::nlohmann_json)
