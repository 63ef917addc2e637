holdfast_module(audit USES base crypto keys store LIBS nlohmann_json::nlohmann_json Threads::Threads)
