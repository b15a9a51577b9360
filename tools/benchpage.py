"""tools/benchpage.py - build/bench.html: the rows of a benchmark as bars, in one file that needs no other."""
import html
import math

STYLE = """
body { font: 14px/1.4 system-ui, sans-serif; margin: 2em auto; max-width: 68em; padding: 0 1em; color: #222; background: #fff }
table { border-collapse: collapse; width: 100%; margin-bottom: 2em }
th, td { text-align: right; padding: 2px 8px; border-bottom: 1px solid #e4e4e4; white-space: nowrap; font-variant-numeric: tabular-nums }
th:first-child, td:first-child, td.bars, td.near { text-align: left }
td.bars { width: 40% }
.bar { height: 7px; margin: 1px 0; border-radius: 2px; min-width: 1px }
.cathode { background: #2a6fb0 } .linux { background: #c9a227 }
.better { color: #1a7f37 } .worse { color: #b3261e }
i { display: inline-block; width: 1em; height: .7em; border-radius: 2px }
@media (prefers-color-scheme: dark) { body { background: #16181b; color: #ddd } th, td { border-color: #333 } }
"""


def number(value):
    return "" if value is None else f"{value:,.1f}" if value < 100 else f"{value:,.0f}"


def bars(row):
    """Two bars, the longer one full; shorter is better."""
    most = max(value for value in (row["cathode"], row["linux"]) if value is not None)
    return "".join(f'<div class="bar {system}" style="width:{100 * row[system] / most if most else 0:.1f}%"></div>'
                   for system in ("cathode", "linux") if row[system] is not None)


def change_cell(change):
    if change is None or not math.isfinite(change):
        return "<td></td>"
    percent = 100 * (change - 1)
    kind = "worse" if percent > 1 else "better" if percent < -1 else ""
    return f'<td class="{kind}">{percent:+.1f} %</td>'


def ratio_cell(ratio):
    if ratio is None:
        return "<td></td>"
    return f'<td class="{"worse" if ratio > 1 else "better"}">{ratio:.2f}</td>'


def table(title, rows, changes, last):
    """last: what the last column says of a row."""
    lines = [f"<h2>{html.escape(title)}</h2>",
             "<table><tr><th>operation<th>unit<th>Cathode<th>Linux<th>ratio" + ("<th>change" if changes else "") + "<th></tr>"]
    for row in rows:
        cells = [f"<td>{html.escape(row['name'])}</td><td>{html.escape(row['unit'])}</td><td>{number(row['cathode'])}</td><td>{number(row['linux'])}</td>",
                 ratio_cell(row["ratio"])]
        if changes:
            cells.append(change_cell(changes.get((row["name"], row["regime"]))))
        lines.append(f"<tr>{''.join(cells)}{last(row)}</tr>")
    return "\n".join([*lines, "</table>"])


def page(rows, changes, nearest, version, commit):
    """The page. rows: of bench.json; changes: {(name, regime): new / old}; nearest: {native row: Linux's row that comes nearest}."""
    linux = {(row["name"], row["regime"]): row["linux"] for row in rows}
    parts = []

    def near(row):
        name = nearest[row["name"]]
        return f'<td class="near">nearest on Linux: {html.escape(name)} {number(linux.get((name, row["regime"])))}</td>'

    for regime in dict.fromkeys(row["regime"] for row in rows):
        mine = [row for row in rows if row["regime"] == regime]
        parts.append(table(regime, [row for row in mine if row["name"] not in nearest], changes, lambda row: f'<td class="bars">{bars(row)}</td>'))
        native = [row for row in mine if row["name"] in nearest]
        if native:
            parts.append(table(f"{regime}: Cathode's own operations", native, changes, near))
    body = "\n".join(parts)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Cathode beside Linux</title><style>{STYLE}</style></head><body>
<h1>Cathode beside Linux</h1>
<p>Commit {html.escape(commit[:12])}; Linux: {html.escape(f"Debian's {version}, mitigations=off init_on_alloc=0" if version else "not measured")}; the same static
program, the same QEMU, the same options. icount: guest instructions; tcg1, tcg2, tcg4: nanoseconds with so many CPUs. Less is better.</p>
<p><i class="cathode"></i> Cathode &nbsp; <i class="linux"></i> Linux</p>
{body}
</body></html>
"""
