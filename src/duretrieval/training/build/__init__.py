"""From a recipe to the network that learns."""
