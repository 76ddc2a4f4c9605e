"""What comes out of each step of the lessons that asks for a choice: how the choice begins, as it was measured over several seeds."""

OUTCOMES: dict[str, dict[int, str]] = {
    "nonlinearity": {1: "By a rounding error", 2: "3", 3: "Some, but less than half", 4: "Between 60 and 90 %"},
    "xor": {1: "Never", 2: "Hardly more than a coin", 3: "95 % or more", 4: "Fewer than 95 %", 5: "95 % or more"},
    "gradients": {1: "One quarter", 2: "Less than a tenth", 3: "0", 4: "0"},
    "first_network": {2: "203,530", 3: "The training loss falls clearly", 4: "Less than four points apart", 5: "Fewer than half"},
    "learning_rate": {2: "lower", 3: "It ends near guessing", 4: "above 20 %"},
    "vanishing": {
        2: "By a factor of more than 100,000", 3: "By a factor of more than 10,000", 4: "They are less than", 5: "Only ReLU with He",
    },
    "exploding": {2: "It dies", 4: "90 % or more"},
    "symmetry": {1: "1", 2: "It stays at 2.30", 3: "More than ten points higher", 4: "More than 32", 5: "More than 1"},
    "overfitting": {
        1: "More than 10,000 times", 2: "Below 0.1", 3: "It is more than 100,000 times", 4: "The training loss rises, the test loss falls",
        5: "Lower", 6: "More than 80 %",
    },
    "dropout": {1: "6", 3: "", 4: "Training accuracy falls, and test accuracy changes", 5: "In about 6 %"},
}  # fmt: skip
