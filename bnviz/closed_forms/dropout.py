"""How dropout shifts a variance between training and test, in float64 and without torch.

References:
    Li et al. 2018, Understanding the Disharmony between Dropout and Batch Normalization, arXiv:1801.05134.
"""


def dropout_variance_shift(keep: float, variance: float = 1.0, mean: float = 0.0) -> float:
    """Test over training variance of a unit behind inverted dropout: v / ((v + c^2)/p - c^2); p for a mean of 0.

    Args:
        keep: probability p that an input is kept, above 0 and at most 1.
        variance: v of the input.
        mean: c of the input.

    References:
        Li et al. 2018, section 3.
    """
    if not 0 < keep <= 1:
        raise ValueError(f"keep: received {keep}, allowed: above 0, at most 1")
    return variance / ((variance + mean**2) / keep - mean**2)
