"""`incidentio doctor`: is this deployment sound?"""
