"""The ledger: the SQL database that is the one source of truth for everything a person sees."""
