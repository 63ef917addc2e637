holdfast_module(monitor USES base stats data)
