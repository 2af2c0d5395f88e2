"""The feature index: which pictures make each feature fire, from one pass over a picture set."""
