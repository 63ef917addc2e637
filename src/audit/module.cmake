holdfast_module(audit USES base crypto)
