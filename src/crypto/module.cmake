holdfast_module(crypto USES base LIBS OpenSSL::Crypto PkgConfig::argon2)
