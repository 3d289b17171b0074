"""Kind ``log_student_t``: a robust log-linear model on fixed carryover and saturation."""
