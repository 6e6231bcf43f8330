"""The experiments, a module or a package each, which names its EXPERIMENT; `bnviz.experiments.board.catalog` finds them."""
