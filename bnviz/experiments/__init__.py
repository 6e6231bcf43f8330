"""The experiments: one module or package each, which `catalog` finds; and what several of them share."""
