"""What verbs, API and app answer: typed once, rendered by each."""
