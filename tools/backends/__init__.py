"""The models that tools talk to, on servers and in process, behind one protocol a role.

`chat` holds the protocol of explainer, judge and planner. Importing this package loads no model and
opens no connection.
"""
