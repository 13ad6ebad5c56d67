"""Files of orders through the six steps."""
