"""Load tests that judge: k6 is run, and what it counted is held against the service's own three signals."""
