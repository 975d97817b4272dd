"""`loadtest/run hpa`: an autoscaler's behaviour foretold, caused, watched, and compared."""
