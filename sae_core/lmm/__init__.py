"""Large multimodal models: where their layers are, what their positions show, hooks into them."""
