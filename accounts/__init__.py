"""Who uses the site: the user model and its sign-up."""
