"""A Slack on this machine: a stand-in for trying the app and for its tests, never for real conversations."""
