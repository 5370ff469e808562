"""How the rows of raw data sets are read, a format a file; `srpo.data.rows` puts them together."""
