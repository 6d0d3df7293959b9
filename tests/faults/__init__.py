"""The fault laboratory: stories told under every fault, and what must hold once they are calm."""
