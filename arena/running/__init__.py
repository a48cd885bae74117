"""How games are run: workers, what they tell, and what replaces them when they die."""
