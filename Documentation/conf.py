# SPDX-License-Identifier: GPL-2.0-only
"""How Sphinx makes a book of these texts: `make doc`."""
import pathlib
import re

from docutils import nodes

HERE = pathlib.Path(__file__).parent

project = "xen-blkback"
copyright = "the authors of xen-blkback, GPL-2.0-only"  # pylint: disable=redefined-builtin
release = re.search(r'^PACKAGE_VERSION="(.*)"', (HERE.parent / "dkms.conf").read_text(),
                    re.M).group(1)
html_theme = "alabaster"
html_theme_options = {"page_width": "1060px", "fixed_sidebar": True}
html_show_sourcelink = False
# What follows :: is what people type, what programs print, or a drawing.
highlight_language = "none"
smartquotes = False


def link_names(app, doctree, docname):
    """``guide.rst``, as people read it in a terminal, becomes a link to the guide."""
    for name in list(doctree.findall(nodes.literal)):
        target = name.astext().removesuffix(".rst")
        if target == name.astext() or target == docname or target not in app.env.found_docs:
            continue
        if isinstance(name.parent, nodes.reference):
            continue
        uri = app.builder.get_relative_uri(docname, target)
        link = nodes.reference("", "", internal=True, refuri=uri)
        name.replace_self(link)
        link += name


def setup(app):
    app.connect("doctree-resolved", link_names)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
