holdfast_module(store USES base crypto LIBS SQLite::SQLite3)
