"""World Models: V sees, M foretells, C acts and is evolved in the dream."""
