"""What the user says: the settings, where they are read from, and how their values are read."""
