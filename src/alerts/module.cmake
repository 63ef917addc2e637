holdfast_module(alerts COLD USES base crypto store net LIBS Threads::Threads)
