"""Where the frozen program starts."""

import sys

from heartseg_gui.app import main

sys.exit(main())
