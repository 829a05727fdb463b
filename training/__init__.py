"""How the shipped encoder, vectors and starter model were made."""
