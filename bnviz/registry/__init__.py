"""What there is of each kind: names, labels, styles and units, without torch and without running what they name.

declared.py      how an extension says what it is, and how that is read
datasets.py      the data sets          activations.py   the activation functions
optimizers.py    the optimizers         norms.py         the normalizations
measures.py      what can be measured
"""
