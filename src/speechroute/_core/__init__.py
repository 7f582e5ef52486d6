"""Deciding, and what it needs. Pure: no sockets, no clock, no environment, no SDK."""
