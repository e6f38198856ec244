"""GET over plain HTTP/1.1, on connections that are kept: what most scrapes are."""
