"""The conductor: turns what happened to incidents and executions into starts, answers and recoveries."""
