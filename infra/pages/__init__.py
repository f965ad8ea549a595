"""Pages about playbooks that are made from their YAML: `make pages` writes them, `make check` wants them up to date."""
