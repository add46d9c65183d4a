"""Angel in Slack: what a person sees there, and the worker behind it."""
