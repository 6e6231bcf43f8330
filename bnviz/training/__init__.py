"""Training: all arms side by side on the same batches. Needs torch.

loop.py         states of the nets, one per step
batches.py      which samples a batch holds
optimizers/     how a gradient becomes a step, one optimizer per file
run.py          a whole run as records
study.py        the stages of a study as records
threads.py      on one thread
"""
