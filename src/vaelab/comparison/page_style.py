"""How the page of the report looks: light and dark, on a phone, on paper."""

LIGHT = {
    "ground": "#ffffff", "text": "#1c2126", "soft": "#56606b", "line": "#d5dae0", "stripe": "#f5f7f9",
    "best": "#dcf3e1", "link": "#0b5cad", "chosen": "#1767ae", "run": "#6d97bd", "baseline": "#a9b0b7",
    "healthy": "#1b6b37", "ill": "#ab2323",
}  # fmt: skip
DARK = {
    "ground": "#14181c", "text": "#e4e8ec", "soft": "#9aa5b0", "line": "#39424b", "stripe": "#1b2127",
    "best": "#17462a", "link": "#7ab8ff", "chosen": "#7ab8ff", "run": "#4a78a5", "baseline": "#636d77",
    "healthy": "#6fce8e", "ill": "#ff9a90",
}  # fmt: skip


def _variables(colours: dict[str, str]) -> str:
    return " ".join(f"--{name}: {colour};" for name, colour in colours.items())


STYLE = (
    f"""
:root {{ color-scheme: light dark; {_variables(LIGHT)} }}
@media (prefers-color-scheme: dark) {{ :root {{ {_variables(DARK)} }} }}
"""
    + """
* { box-sizing: border-box; }
body { background: var(--ground); color: var(--text); font: 15px/1.5 system-ui, sans-serif; margin: 0 auto;
  max-width: 1300px; padding: 1rem 1.5rem 3rem; }
h1 { font-size: 1.5rem; margin: .4rem 0; }
h2 { border-top: 3px solid var(--line); font-size: 1.3rem; margin: 2.5rem 0 .3rem; padding-top: 1rem; }
h3 { font-size: 1.1rem; margin: 1.8rem 0 .4rem; } h4 { font-size: 1rem; margin: 1.2rem 0 .3rem; }
p { margin: .5rem 0; } p, li, dd { max-width: 80em; overflow-wrap: anywhere; }
a { color: var(--link); } :focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.lead { font-size: 1.15rem; font-weight: 600; margin: .3rem 0 .5rem; }
.verdicts { list-style: none; margin: .4rem 0; padding: 0; } .verdicts a { font-weight: 600; }
nav { background: var(--stripe); border: 1px solid var(--line); border-radius: 6px; margin: .8rem 0;
  padding: .4rem 1rem; }
nav ul { list-style: none; margin: 0; padding: 0; } nav li { padding: .15rem 0; } nav a { margin-right: .9rem; }
.health { list-style: none; margin: .4rem 0; padding: 0; } .health li { margin: .1rem 0; }
.sign { display: inline-block; font-weight: 700; width: 1.4em; }
.healthy .sign { color: var(--healthy); } .ill .sign { color: var(--ill); }
.charts { display: grid; gap: 1rem 2rem; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr));
  margin: .8rem 0; }
.charts table { font-size: .85rem; width: 100%; border-collapse: collapse; align-self: start; }
.charts caption { font-weight: 600; text-align: left; } .charts caption span { color: var(--soft); font-weight: 400; }
.charts th { background: none; border: 0; font-weight: 400; padding: .05rem .5rem .05rem 0; text-align: left;
  width: 42%; overflow-wrap: anywhere; white-space: normal; }
.charts td { border: 0; padding: .05rem 0; white-space: nowrap; } .charts td.value { padding-left: .5rem;
  text-align: right; width: 4.5em; }
.charts .chosen th, .charts .best td { font-weight: 700; }
.bar { display: block; height: .8em; } .bar span { background: var(--baseline); display: block; height: 100%;
  min-width: 1px; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.run .bar span { background: var(--run); } .chosen .bar span { background: var(--chosen); }
.said { clip-path: inset(50%); height: 1px; overflow: hidden; position: absolute; white-space: nowrap; width: 1px; }
figure { margin: .8rem 0; } figcaption { color: var(--soft); font-size: .85rem; }
.scroll { border: 1px solid var(--line); border-radius: 6px; max-width: 100%; overflow-x: auto; width: fit-content; }
img { background: #fff; display: block; height: auto; max-width: 100%; }
.scroll table { border-collapse: separate; border-spacing: 0; font-size: .85rem; font-variant-numeric: tabular-nums; }
.scroll th, .scroll td { padding: .25rem .7rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
.scroll td.long { white-space: normal; min-width: 16em; }
.scroll th { background: var(--stripe); font-weight: 600; white-space: normal; vertical-align: bottom; }
.scroll th:first-child, .scroll td:first-child { position: sticky; left: 0; background: var(--ground);
  border-right: 1px solid var(--line); }
.scroll th:first-child { background: var(--stripe); } .scroll tbody tr:last-child td { border-bottom: 0; }
.scroll tbody tr:nth-child(even) td { background: var(--stripe); }
.scroll tbody td.best { background: var(--best) !important; font-weight: 600; }
details { margin: .5rem 0; } summary { cursor: pointer; font-weight: 600; padding: .2rem 0; }
details > .scroll { margin: .4rem 0 1rem; }
pre { background: var(--stripe); border: 1px solid var(--line); border-radius: 6px; margin: .4rem 0;
  padding: .5rem .8rem;  white-space: pre-wrap; overflow-wrap: anywhere; }
dl { columns: 26rem; column-gap: 2.5rem; font-size: .9rem; } dt { break-after: avoid; font-weight: 600; }
dd { break-inside: avoid; margin: 0 0 .5rem; } dt:target { background: var(--best); }
@media (max-width: 700px) {
  body { padding: .5rem .8rem 2rem; } figure img { max-width: none; width: 46rem; }
  .scroll td:first-child, .scroll th:first-child { max-width: 9rem; min-width: 9rem; white-space: normal; }
}
@media print {
  :root { """
    + _variables(LIGHT)
    + """ } body { font-size: 10pt; max-width: none; padding: 0; } nav { display: none; }
  h2 { break-before: page; } figure, table, pre { break-inside: avoid; } h3, h4, summary { break-after: avoid; }
  .scroll { overflow: visible; border: 0; } .scroll table { font-size: 7pt; } .scroll td { white-space: normal; }
  details::details-content { content-visibility: visible; height: auto; }
}
"""
)
