"""What experiments are made of: parts, stages, results, charts over them, and the words of verdicts."""
