"""How strong a player is: contests, scores with intervals, and measuring while learning."""
