"""The dashboard: pages that show what the stages of a project saved. `command` starts it, `app` is its frame."""
