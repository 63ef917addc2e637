holdfast_module(evaluate USES base stats policy data)
