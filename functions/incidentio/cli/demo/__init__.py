"""`incidentio demo`: from a firing alarm to an archived postmortem, each step checked from the AWS side."""
