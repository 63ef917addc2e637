holdfast_module(server USES base crypto LIBS OpenSSL::SSL OpenSSL::Crypto Boost::headers Threads::Threads)
