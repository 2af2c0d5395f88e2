"""What pages show, asked of the store: one module a page, none of which knows how it looks."""
