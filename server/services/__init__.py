"""The work: intake, assessment, enrolment, accounts."""
