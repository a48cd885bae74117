"""Outside programs as players: GTP, UCI and USI, the controllers' sides."""
