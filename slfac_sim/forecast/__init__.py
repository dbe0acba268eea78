"""What a scenario asks of devices, server, air and this host, before anything is trained.

`forecast` has the figures of `check`, `cuts` those of every cut of the model, `host` what a run takes of this
host. All times of rounds come from `round_time`, which plays a `rehearsal` of `actors` on the scenario's own
network and hosts.
"""
