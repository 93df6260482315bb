"""From what happens on a line to marks, one file for each layer; nothing here decides."""
