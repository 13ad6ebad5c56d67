"""The standard workflow: what events tell other rows, and what they ask of the world. Read ``table`` first."""
