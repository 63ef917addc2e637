holdfast_module(patterns USES base LIBS ZLIB::ZLIB)
