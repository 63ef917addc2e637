holdfast_module(alerts USES base crypto store net LIBS Threads::Threads)
