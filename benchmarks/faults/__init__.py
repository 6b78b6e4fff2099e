"""What is left of submitted clips when parts of the site are killed, and worse, under load."""
