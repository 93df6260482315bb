"""`python -m gateway` is `pms-gateway`."""

from gateway.cli import main

if __name__ == "__main__":
    main()
