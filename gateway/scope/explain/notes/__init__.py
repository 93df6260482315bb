"""From what happens on a line to marks, one file for each floor: nothing here judges."""
