"""The front door: the life of a request, as Azure's gateway leads it."""
