"""What each service may do on the log and in the databases, and nothing else: made from the catalogue of topics."""
