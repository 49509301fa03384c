"""docs/params.md, generated from the JSON schema of params.yaml."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from vaelab.params import base
from vaelab.params.datasets import SETTINGS, source_name
from vaelab.params.kinds import KINDS
from vaelab.params.schema import Options, Params

INTRODUCTION = """\
# Options

Generated from the schema in `src/vaelab/params` by `make docs`; do not edit.

`params.yaml` holds base values; a run is the base, then its preset, then its own changes. Groups are laid over each
other name by name; `null` in the place of a group, or of a name under `stop_when`, `healthy` and `verdict`, takes away
what the base and the preset say there: `train: {stop_when: null}` trains all epochs. Change one value for an experiment
with `dvc exp run -S loss.gamma=1.0`, with `++` before an option that `params.yaml` does not list:
`-S ++evaluate.extreme=3`. Wrong keys, types and values are all reported at once, with their path and the nearest known
name.
"""
OTHERS = {  # titles of the groups that are not options of a run by themselves
    "Schedule": "A schedule, wherever a weight may be one",
    "Bounds": "`train.stop_when.<column>`: a range",
    "HealthyRange": "`train.healthy.<column>`: a list of ranges by epoch",
    "Limits": "`evaluate.verdict.<metric>`: limits",
}
TYPES = {"integer": "integer", "number": "number", "boolean": "true or false", "string": "text", "null": "null"}
BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
GROUPS = {"Schedule": "a schedule", "Bounds": "range", "HealthyRange": "range", "Limits": "limits"}
KEYS = {"range": "column of history.csv", "limit": "metric"}  # what the names are that such values stand under

Schema = Mapping[str, Any]


def params_document() -> str:
    """Return the whole of docs/params.md."""
    models = Params.model_json_schema()["$defs"]
    parts = [INTRODUCTION]
    for name, entry in models["Options"]["properties"].items():
        meaning = _description(models, entry).rstrip(".")
        parts.append(_section(f"`{name}`: {meaning[:1].lower()}{meaning[1:]}", models, _group(entry), name))
    parts.append(_section("`compare`: comparison of the active runs", models, "Compare", "compare"))
    parts += [_section(title, models, group) for group, title in OTHERS.items()]
    for settings in SETTINGS:
        title = f"`datasets.<name>` with `source: {source_name(settings)}`: {settings.__doc__}"
        parts.append(_section(title, models, settings.__name__))
    parts.append(_section("`datasets.<name>.split`", models, "Split", "split"))
    parts.append(_section("`starts.<name>`: a data set with a run to start from", models, "Start"))
    parts.append(_section("`runs.<name>` and `suites.<suite>.<name>`", models, "RunEntry", skip=Options.model_fields))
    return "\n".join(parts)


def _section(title: str, models: Schema, group: str, prefix: str = "", skip: Collection[str] = ()) -> str:
    rows = "\n".join(_rows(models, group, prefix, skip))
    return f"## {title}\n\n| option | default | allowed | meaning |\n|---|---|---|---|\n{rows}\n"


def _rows(models: Schema, group: str, prefix: str, skip: Collection[str] = ()) -> Iterator[str]:
    for name, entry in models[group]["properties"].items():
        path = f"{prefix}.{name}" if prefix else name
        if name in skip:
            continue
        if _group(entry) not in ("", "Split"):
            yield from _rows(models, _group(entry), path)
            continue
        text = _meaning(models, entry).replace("\n", " ").replace("|", "\\|")
        yield f"| `{path}` | {_default(entry)} | {_allowed(entry)} | {text} |"


def _meaning(models: Schema, entry: Schema) -> str:
    """What an option means, behind the kinds of data that it is for, where it is not for all: "Grids, images: ..."."""
    text, plurals = _description(models, entry), [KINDS[kind].plural for kind in entry.get(base.OF_KINDS, ())]
    if not plurals:
        return text
    network = f", and `{entry[base.OF_NETWORK]}`" if base.OF_NETWORK in entry else ""
    word = text[:1].lower() if text[1:2].islower() or text[1:2] == " " else text[:1]  # but KL, U-Net, 1 − SSIM
    return f"{', '.join(plurals).capitalize()}{network}: {word}{text[1:]}"


def _description(models: Schema, entry: Schema) -> str:
    """What an option means; pydantic leaves it out where the group that it is says the same."""
    return str(entry.get("description") or models[_group(entry)]["description"])


def _group(entry: Schema) -> str:
    """Name of the group of options that an entry is; empty for a single value."""
    return str(entry.get("$ref", "")).rpartition("/")[2]


def _default(entry: Schema) -> str:
    if "default" not in entry:
        return "required"
    default = entry["default"]
    if _group(entry):
        return "see below"
    if isinstance(default, list) and default:
        return ", ".join(f"`{item}`" for item in default)
    if isinstance(default, dict) and default:
        return "; ".join(f"`{name}: {_flow(value)}`" for name, value in default.items())
    written = "null" if default is None else str(default).lower() if isinstance(default, bool) else str(default)
    return "`" + written.replace("|", "\\|") + "`"


def _flow(value: Mapping[str, float | None]) -> str:
    return "{" + ", ".join(f"{name}: {inner:g}" for name, inner in value.items() if inner is not None) + "}"


def _allowed(entry: Schema, inside: bool = False) -> str:
    """What a value may be; `inside` a list or among several choices, bounds stand behind the word."""
    if names := entry.get("enum", [entry["const"]] if "const" in entry else []):
        return ", ".join(f"`{name}`" for name in names)
    if _group(entry):
        return GROUPS.get(_group(entry), "group")
    if choices := [_allowed(choice, inside=True) for choice in _choices(entry)]:
        return f"{', '.join(choices[:-1])} or {choices[-1]}"
    if "prefixItems" in entry:
        word = _allowed(entry["prefixItems"][0], inside=True)
        return f"list of {len(entry['prefixItems'])} {word}s"
    if entry["type"] == "array":
        word, blank, rest = _allowed(entry["items"], inside=True).replace("text", "name").partition(" ")
        return f"list of {word}{'' if word.startswith('`') else 's'}{blank}{rest}"
    if entry["type"] == "object":
        inner = _allowed(entry["additionalProperties"], inside=True)
        return f"{KEYS.get(inner.split()[-1].rstrip('s'), 'name')}: {inner}"
    bounds = [f"{sign} {entry[key]:.15g}" for key, sign in BOUNDS.items() if key in entry]
    word = TYPES[entry["type"]]
    return f"{word} {' and '.join(bounds)}".rstrip() if inside else ", ".join([word, *bounds])


def _choices(entry: Schema) -> Iterator[Schema]:
    """The alternatives of an entry that has several, those of alternatives among them."""
    for choice in (*entry.get("oneOf", ()), *entry.get("anyOf", ())):
        yield from list(_choices(choice)) or [choice]
