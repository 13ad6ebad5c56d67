"""Returns (返品): what a customer wishes to send back, what came back, and what became of it."""
