"""The shipment: goods of one or more orders that travel together. Read ``machine`` first."""
