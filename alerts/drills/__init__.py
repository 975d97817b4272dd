"""Drills: a fault that fires one alert, and the times at which it was seen, firing, told, and over."""
