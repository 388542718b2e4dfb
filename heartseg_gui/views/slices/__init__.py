"""The slices: picture, labels, sketches, texts and gestures."""
