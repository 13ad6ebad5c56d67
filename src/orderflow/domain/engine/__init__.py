"""The engine: tables of rules, decisions, one schema. It knows nothing of trade."""
