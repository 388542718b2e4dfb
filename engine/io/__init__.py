"""Readers and writers: one door for each file format."""
