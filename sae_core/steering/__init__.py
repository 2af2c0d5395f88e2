"""Writing features into a running model, with controls, and measuring what that does."""
