"""Which features, and which parts of a picture, speak for an answer."""
