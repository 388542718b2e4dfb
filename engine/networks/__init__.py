"""Networks that label images; `NETWORKS` is the table of them."""
