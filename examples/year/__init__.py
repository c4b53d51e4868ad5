"""A year of a glass repair company, generated from a seed and played through Fairloop's real interfaces."""
