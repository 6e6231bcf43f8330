"""What an experiment concludes from its records: numbers with their uncertainty, and the sentence that says them."""
