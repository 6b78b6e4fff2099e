import sys

from truthlens_client.command_line import main

sys.exit(main())
