"""What is said of an audit on a pull or merge request: one comment, remarks on changed lines, a check.

The text is computed by pure functions (`comment`, `remarks`, `check`); `github` and `gitlab` deliver it.
"""
