"""Money, prices, tax and the dates of business."""
