"""What a HorizontalPodAutoscaler will do under a load, foretold, and held against what it did."""
