"""HeartSeg's engine: reading, segmenting and measuring hearts, without any window."""
