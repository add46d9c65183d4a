"""What Angel keeps where many workspaces install it: encrypted tokens and what people chose. Never a message."""
