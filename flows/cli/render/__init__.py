"""Answers as tables and text for a terminal. No question is asked here, nothing is computed."""
