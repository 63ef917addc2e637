# ZLIB is for the tests alone: some vectors of the age testkit are compressed.
holdfast_module(crypto USES base LIBS OpenSSL::Crypto PkgConfig::argon2 ZLIB::ZLIB)
