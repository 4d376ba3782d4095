"""`python -m tools.checks`: say what is wrong with the repository's structure; the exit status is 1 if anything is."""

import sys

from tools.checks import api_types, clients, python_modules, rust_modules, unit_mirror, words

CHECKS = (python_modules, rust_modules, api_types, clients, unit_mirror, words)


def main() -> int:
    """Run every check."""
    found = [problem for check in CHECKS for problem in check.problems()]
    for problem in found:
        sys.stdout.write(f"{problem}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
