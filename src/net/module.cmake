# libcurl is loaded at the first request (curl.cc), so only its headers are needed here.
# OpenSSL is for the tests alone: they serve TLS themselves.
holdfast_module(net USES base crypto LIBS ${CMAKE_DL_LIBS} Threads::Threads OpenSSL::SSL OpenSSL::Crypto)
