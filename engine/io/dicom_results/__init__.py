"""Results as DICOM objects: a segmentation (SEG) and a structured report (SR, TID 1500).

The only door to highdicom. Both objects belong to the examination whose images were measured, and
name the very images (and frames) they speak of.
"""
