# SPDX-License-Identifier: GPL-2.0-only
"""The version of this program."""
import os
import re

# Set when it is installed: see ../Makefile
VERSION = "@VERSION@"


def version():
    """In a tree that is not installed, what the tree would install."""
    if not VERSION.startswith("@"):
        return VERSION
    path = os.path.join(os.path.dirname(__file__), "../../dkms.conf")
    with open(path, encoding="utf-8") as file:
        return re.search('^PACKAGE_VERSION="(.*)"', file.read(), re.M)[1]
