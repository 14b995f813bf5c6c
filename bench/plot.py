# SPDX-License-Identifier: GPL-2.0-only
"""The benchmark's figures as an SVG: bars of throughput, native is 100 %."""

from xml.sax.saxutils import escape

import figures
import report

SERIES = [("native", "#b0b0b0"), ("qdisk", "#7a9a5a"), ("stock", "#d98c3f"),
          ("ours", "#2f6db0")]
PANEL_HEIGHT = 190
BARS_HEIGHT = 120
LEFT = 46
CELL_WIDTH = 126
BAR_WIDTH = 26


def text(x, y, what, size=11, anchor="middle", extra=""):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" '
            f'text-anchor="{anchor}"{extra}>{escape(what)}</text>')


def bars(cell, x, bottom):
    """The bars of one cell, each with its IOPS; ours with its ratio to stock"""
    full = cell["native"] or max(cell.get(name) or 0 for name, _ in SERIES)
    for n, (name, colour) in enumerate(s for s in SERIES if cell.get(s[0])):
        iops = cell[name]
        height = BARS_HEIGHT * min(iops / full, 1.05)
        left = x + 8 + n * (BAR_WIDTH + 4)
        yield (f'<rect x="{left:.1f}" y="{bottom - height:.1f}" width="{BAR_WIDTH}" '
               f'height="{height:.1f}" fill="{colour}"/>')
        yield text(left + BAR_WIDTH / 2, bottom - height - 3, report.rate(iops), 9)
        if name == "ours" and "ratio" in cell:
            colour = "#c01010" if cell["verdict"] else "#107010"
            yield text(left + BAR_WIDTH / 2, bottom - height - 14, f"{cell['ratio']:.2f}x",
                       10, extra=f' font-weight="bold" fill="{colour}"')
    yield text(x + CELL_WIDTH / 2 - 4, bottom + 14, cell["cell"], 10)


def panel(where, cells, top):
    bottom = top + 36 + BARS_HEIGHT
    right = LEFT + CELL_WIDTH * len(cells)
    yield text(LEFT, top + 12, report.title(where), 13, "start", ' font-weight="bold"')
    for percent in (0, 50, 100):
        y = bottom - BARS_HEIGHT * percent / 100
        yield f'<line x1="{LEFT}" y1="{y}" x2="{right}" y2="{y}" stroke="#dddddd"/>'
        yield text(LEFT - 4, y + 4, f"{percent} %", 9, "end")
    for n, cell in enumerate(cells):
        yield from bars(cell, LEFT + n * CELL_WIDTH, bottom)


def svg(summary, versions, date):
    groups = list(report.by_where(summary["cells"]))
    widest = max((len(cells) for _, cells in groups), default=1)
    width = max(LEFT + CELL_WIDTH * widest + 20, 640)
    height = 70 + PANEL_HEIGHT * len(groups)
    mean = figures.mean(report.ratios(summary["cells"]))
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
           f'viewBox="0 0 {width} {height}" font-family="sans-serif">',
           '<!-- SPDX-License-Identifier: GPL-2.0-only -->',
           f'<rect width="{width}" height="{height}" fill="white"/>',
           text(LEFT, 20, "IOPS on null_blk by instruction count, native = 100 %" +
                (f"; ours is {mean:.2f} times stock (geometric mean)" if mean else ""),
                14, "start"),
           text(LEFT, 38, f"{date[:10]}, tree {versions.get('tree') or 'unknown'}, Linux "
                f"{versions.get('kernel', '?')}, Xen {versions.get('xen', '?')}; "
                f"median of {summary['runs']} boots", 10, "start")]
    for n, (name, colour) in enumerate(SERIES):
        x = LEFT + 90 * n
        out += [f'<rect x="{x}" y="46" width="12" height="12" fill="{colour}"/>',
                text(x + 16, 56, name, 11, "start")]
    for n, (where, cells) in enumerate(groups):
        out += panel(where, cells, 66 + n * PANEL_HEIGHT)
    return "\n".join(out + ["</svg>"]) + "\n"
