"""Right variants of the forms in which courses and books have people write."""
