"""Our players as engines for other programs: GTP, UCI and USI, the engines' sides."""
