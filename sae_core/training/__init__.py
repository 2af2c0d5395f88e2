"""What a coder is trained on and how: activations, losses, steps, evaluation."""
