"""Access networks, wires and servers joined by a graph: who is where, which way bytes go, the whole air."""
