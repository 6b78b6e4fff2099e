"""Telling a user's own programs how analyses ended, signed as Standard Webhooks (standardwebhooks.com)."""
