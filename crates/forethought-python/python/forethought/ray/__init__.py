"""Batches on a Ray cluster: `python -m forethought.ray batch ...`.

Read first: `driver.run`, which spreads a batch over the cluster and puts it together; `work.run_shard` is what a node does for it.

The engine is Ray: a shard of the batch is one of its tasks, which it places, retries and moves away from a node that is lost. The
results are those of one machine, with the same digest, whatever the number of shards and nodes and whatever happened to them.
"""
