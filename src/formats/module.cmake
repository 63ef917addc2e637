holdfast_module(formats USES base LIBS ZLIB::ZLIB)
