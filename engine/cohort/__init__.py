"""Many studies: predicted, measured and reported by several processes, here or on a cluster."""
