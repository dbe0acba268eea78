"""Studies: many questions, few trainings; a plan, a cache, an engine, and a folder of answers.

It knows scenarios and records, and nothing of what a figure looks like. Importing it imports no torch.
"""
