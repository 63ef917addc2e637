holdfast_module(base
  PUBLIC_LIBS tl::expected fmt::fmt nlohmann_json::nlohmann_json
  LIBS spdlog::spdlog PkgConfig::tomlplusplus Threads::Threads)
