"""What to say where an optional package is missing."""


def missing(what: str, package: str, extra: str = "envs") -> str:
    """One line: what needs the package, and the command that installs it."""
    return f'{what} needs the package {package}: pip install "sakiyomi[{extra}]"'
