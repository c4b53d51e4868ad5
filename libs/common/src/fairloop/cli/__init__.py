"""The `fairloop` command: launcher of the embedded installation, and the operator's commands."""
