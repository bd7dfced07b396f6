"""`python -m astcti_client`."""

from astcti_client.cli import main

if __name__ == "__main__":
    main(prog_name="astcti-client")
