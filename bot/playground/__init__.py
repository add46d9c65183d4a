"""A page in front of the local Slack, with the real app behind it: for trying Angel, never for real conversations."""
