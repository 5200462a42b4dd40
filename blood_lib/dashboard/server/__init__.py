"""`blood serve`: the server's settings and the scripts that it gives out."""
