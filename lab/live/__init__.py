"""The live view: what a person sees while a run lasts, made from the events of its history alone. It asks the system nothing."""
