"""HeartSeg's engine: reading, segmenting and measuring hearts, without any window."""

__version__ = "0.1.0"
