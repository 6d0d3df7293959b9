"""What a loader cannot refuse, and an author wants to know before a checklist is used."""
