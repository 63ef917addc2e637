holdfast_module(intake USES base data formats worker inspect supply LIBS nlohmann_json::nlohmann_json)
