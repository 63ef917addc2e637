holdfast_module(alerts COLD USES base crypto store net audit LIBS Threads::Threads)
