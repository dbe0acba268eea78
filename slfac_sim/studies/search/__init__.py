"""Inverse questions: which value of a setting meets a bound, and where one codec stops beating another.

Each is answered by replaying recorded trainings over other networks; it trains only what is not on record,
and knows no codec and no network by name.
"""
