# libcurl is loaded at the first request (curl.cc), so only its headers are needed here.
holdfast_module(net USES base crypto LIBS ${CMAKE_DL_LIBS} Threads::Threads)
