holdfast_module(inspect USES base crypto formats LIBS OpenSSL::Crypto)
