"""What a reader reviews: states, queue, findings, comparisons."""
