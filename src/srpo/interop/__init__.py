"""Our rewards inside other people's trainers: thin adapters, one file each."""
