"""What is measured of nets that learn to tell ten digits apart."""

from bnviz.experiments.kit.quantities import Quantity

LOSS = Quantity(
    "train_loss", "Training loss", "Lower is better; at 2.3 a net guesses.", "training loss (nats)", cap=1.3, floor=0.0
)
ACCURACY = Quantity(
    "test_accuracy",
    "Test accuracy",
    "Higher is better; at 10 % a net guesses.",
    "test accuracy (%)",
    range=(0.0, 102.0),
    factor=100.0,
)
