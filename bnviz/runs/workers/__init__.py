"""One process per run: the engine starts them through a launcher, which has torch loaded and forks.

    web process: engine --control socket--> launcher --fork--> worker: execute.run_any(config) --data socket--> engine

`launcher`, `worker`, `warmup` and `execute` run in processes of their own and may import torch; nothing else in `runs` does.
"""
