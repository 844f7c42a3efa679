"""Published versions of processes, decisions, forms and parameters: seeding, publishing, looking up."""
