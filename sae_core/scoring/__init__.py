"""How good a label is: scores, each with its interval and beside the null that it must beat."""
