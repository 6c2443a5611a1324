"""Batching, caching and scoring (floor 2): knows neither genome formats nor prompt wording."""
