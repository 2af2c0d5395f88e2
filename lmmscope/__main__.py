"""`python -m lmmscope`: the same as the `lmmscope` command."""

from lmmscope.cli import main

if __name__ == "__main__":
    main()
