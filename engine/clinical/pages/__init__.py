"""The printed pages of a report: their parts, the first page, the second, and what is on each."""
