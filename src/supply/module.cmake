holdfast_module(supply USES base crypto formats LIBS PkgConfig::tomlplusplus PkgConfig::simdjson)
