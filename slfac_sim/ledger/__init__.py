"""The ledger of a run: its tables, the store, the summary of a run, and the reader of run folders."""
