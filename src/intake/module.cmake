holdfast_module(intake USES base formats worker inspect supply LIBS nlohmann_json::nlohmann_json)
