"""Which rows make up a step: a function of the seed and the number of the step alone, so that a run goes on exactly."""
