"""Looking at an installation from outside: what its processes say, and what that means for who operates it."""
