"""`python -m verifier` is `slat`."""

from verifier.cli.main import main

main()
