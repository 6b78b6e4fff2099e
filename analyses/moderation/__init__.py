"""What moderators do: they claim cases, decide them, hold files; owners are told, and the audit log too."""
