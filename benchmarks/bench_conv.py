"""`tinydl bench conv conv_backward depthwise depthwise_backward`; same options."""

import sys

from tinydl.command.main import main

if __name__ == "__main__":
    sys.exit(
        main(["bench", "conv", "conv_backward", "depthwise", "depthwise_backward", *sys.argv[1:]])
    )
