"""Commands in this process: what they print, and the one sentence of those that fail."""

from tinydl.command.main import main


def fails(capsys, *arguments):
    """The one sentence of a command that must fail."""
    assert main([str(a) for a in arguments]) == 2
    err = capsys.readouterr().err
    assert err.startswith("tinydl: error: ") and len(err) <= 1_600
    return err


def does(capsys, *arguments):
    assert main([str(a) for a in arguments]) == 0, capsys.readouterr().err
    return " ".join(capsys.readouterr().out.split())  # as if the terminal were wide
