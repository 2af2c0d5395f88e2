"""The nodes of the graphs: each reads a state of plain JSON and says what changed."""
