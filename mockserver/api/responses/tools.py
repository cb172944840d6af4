"""The tools that a response may use: what each form needs, how it is echoed with its defaults, what the model sees of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mockserver import errors
from mockserver.api.responses.refusals import no_tools, tool_not_offered
from mockserver.api.responses.retrieval import refuse_file_search
from mockserver.model.prompt import AUTO, Grammar, Tool, ToolChoice
from mockserver.operations.complaints import check_range, describe, empty_string, long_array, long_string, mismatched_string
from mockserver.operations.members import Members, check, ordered

Json = Any
Object = dict[str, Json]
_NAME_LIMIT = 64
_NAME_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
_MACHINES = ("windows", "mac", "linux", "ubuntu", "browser")
_SIZES = ("low", "medium", "high")


@dataclass(frozen=True, slots=True)
class ToolForm:
    """One type of tool: its members, what the echo adds where the caller left it out, and what it never shows."""

    required: Members = field(default_factory=dict)
    optional: Members = field(default_factory=dict)
    defaults: Mapping[str, Json] = field(default_factory=dict)
    secret: tuple[str, ...] = ()


_LOCATION = {"type": "approximate", "city": None, "country": "US", "region": None, "timezone": None}
_WEB_OPTIONS: Members = {
    "search_context_size": _SIZES,
    "user_location": "object",
    "filters": "object",
    "search_content_types": "array",
}
_PREVIEW = ToolForm(
    optional=_WEB_OPTIONS,
    defaults={"search_content_types": ["text"], "search_context_size": "medium", "user_location": _LOCATION},
)
_WEB = ToolForm(optional=_WEB_OPTIONS, defaults={"filters": None, "search_context_size": "medium", "user_location": _LOCATION})
FORMS: dict[str, ToolForm] = {
    "function": ToolForm(
        {"name": "string"},
        {"description": "string", "parameters": "object", "strict": "boolean", "output_schema": "object"},
        {"description": None, "output_schema": None},
    ),
    "file_search": ToolForm(
        {"vector_store_ids": "array"},
        {"max_num_results": "integer", "ranking_options": "object", "filters": "object"},
        {"filters": None, "max_num_results": 20},
    ),
    "web_search_preview": _PREVIEW,
    "web_search_preview_2025_03_11": _PREVIEW,
    "web_search": _WEB,
    "web_search_2025_08_26": _WEB,
    "computer_use_preview": ToolForm(
        {"display_height": "integer", "display_width": "integer", "environment": _MACHINES}
    ),
    "computer": ToolForm(),
    "code_interpreter": ToolForm({"container": "string|object"}),
    "image_generation": ToolForm(
        optional={
            "background": ("transparent", "opaque", "auto"),
            "model": "string",
            "moderation": ("auto", "low"),
            "output_compression": "integer",
            "output_format": ("png", "webp", "jpeg"),
            "partial_images": "integer",
            "quality": ("low", "medium", "high", "auto"),
            "size": "string",
            "input_fidelity": ("high", "low"),
        },
        defaults={
            "background": "auto",
            "model": "gpt-image-1",
            "moderation": "auto",
            "n": 1,
            "output_compression": 100,
            "output_format": "png",
            "quality": "auto",
            "size": "auto",
        },
    ),
    "mcp": ToolForm(
        {"server_label": "string"},
        {"server_url": "string", "connector_id": "string", "allowed_tools": "array|object", "headers": "object",
         "authorization": "string", "require_approval": "string|object", "server_description": "string"},
        {"allowed_tools": None, "headers": None, "require_approval": "always", "server_description": None},
        ("authorization", "headers"),
    ),
    "local_shell": ToolForm(),
    "shell": ToolForm(optional={"environment": "object"}),
    "apply_patch": ToolForm(),
    "custom": ToolForm(
        {"name": "string"}, {"description": "string", "format": "object"}, {"description": None, "format": {"type": "text"}}
    ),
    "namespace": ToolForm({"name": "string", "description": "string", "tools": "array"}),
    "tool_search": ToolForm(optional={"execution": ("server", "client"), "description": "string", "parameters": "object"}),
}  # fmt: skip


def validate_tools(tools: list[Object] | None, path: str = "tools", *, loose: bool = True) -> None:
    """Check every tool. Raises ApiError 400 for the first mistake; `loose` is whether schemas without `strict` are looked at."""
    for at, tool in enumerate(tools or ()):
        here = f"{path}[{at}]"
        form = _form(tool, here)
        check(tool, here, form.required, form.optional)
        if tool["type"] == "function":
            _refuse_function(tool, here, loose=loose)
        elif tool["type"] == "namespace":
            validate_tools(tool["tools"], f"{here}.tools", loose=loose)
        refine = _FURTHER.get(tool["type"])
        if refine is not None:
            refine(tool, here)


def _form(tool: Json, path: str) -> ToolForm:
    if not isinstance(tool, dict):
        raise errors.invalid_type(path, "an object", describe(tool))
    kind = tool.get("type")
    if kind is None:
        raise errors.missing_parameter(f"{path}.type")
    if not isinstance(kind, str):
        raise errors.invalid_type(f"{path}.type", "a string", describe(kind))
    if kind not in FORMS:
        raise errors.unsupported_choice(f"{path}.type", kind, list(FORMS))
    return FORMS[kind]


def _refuse_name(tool: Object, path: str) -> None:
    name = tool["name"]
    if not name:
        raise empty_string(f"{path}.name")
    if len(name) > _NAME_LIMIT:
        raise long_string(f"{path}.name", _NAME_LIMIT, len(name))
    if not _NAME_LETTERS.issuperset(name):
        raise mismatched_string(f"{path}.name", "^[a-zA-Z0-9_-]+$")


def _refuse_function(tool: Object, path: str, *, loose: bool) -> None:
    """The parameters have to keep the rules of `strict: true` or, as far as `loose` says so, those of any function (reported)."""
    _refuse_name(tool, path)
    parameters, strict = tool.get("parameters"), tool.get("strict")
    if parameters is None or not (strict or loose):
        return
    from mockserver.model.json_schema import loose_problem, strict_problem

    problem = strict_problem(parameters) if strict else loose_problem(parameters)
    if problem is not None:
        message = f"Invalid schema for function '{tool['name']}': {problem}"
        raise errors.invalid_value(f"{path}.parameters", message, "invalid_function_parameters")


def _refuse_mcp(tool: Object, path: str) -> None:
    if tool.get("server_url") is None and tool.get("connector_id") is None:
        raise errors.missing_parameter(f"{path}.server_url")
    _refuse_tool_filter(tool.get("allowed_tools"), f"{path}.allowed_tools")
    approval = tool.get("require_approval")
    if isinstance(approval, str) and approval not in ("always", "never"):
        raise errors.unsupported_choice(f"{path}.require_approval", approval, ["always", "never"])
    if isinstance(approval, dict):
        check(approval, f"{path}.require_approval", {}, {"always": "object", "never": "object"})
        for name in ("always", "never"):
            _refuse_tool_filter(approval.get(name), f"{path}.require_approval.{name}")


def _refuse_tool_filter(wanted: Json, path: str) -> None:
    """Check which of a server's tools are meant: by a list of names, or by a filter."""
    if isinstance(wanted, dict):
        check(wanted, path, {}, {"tool_names": "array", "read_only": "boolean"})


_CONTAINER: Members = {"file_ids": "array", "memory_limit": ("1g", "4g", "16g", "64g")}
_ENVIRONMENTS: dict[str, Members] = {
    "local": {},
    "container_auto": {},
    "container_reference": {"container_id": "string"},
}
_MOST_FILES = 50


def _refuse_container(tool: Object, path: str) -> None:
    container = tool["container"]
    if isinstance(container, dict):
        check(container, f"{path}.container", {"type": ("auto",)}, _CONTAINER)
        _refuse_files(container, f"{path}.container")


def _refuse_environment(tool: Object, path: str) -> None:
    environment = tool.get("environment")
    if environment is None:
        return
    here = f"{path}.environment"
    check(environment, here, {"type": tuple(_ENVIRONMENTS)}, _CONTAINER)
    check(environment, here, _ENVIRONMENTS[environment["type"]], {})
    _refuse_files(environment, here)


def _refuse_files(container: Object, path: str) -> None:
    file_ids = container.get("file_ids") or []
    if len(file_ids) > _MOST_FILES:
        raise long_array(f"{path}.file_ids", _MOST_FILES, len(file_ids))
    for at, file_id in enumerate(file_ids):
        if not isinstance(file_id, str):
            raise errors.invalid_type(f"{path}.file_ids[{at}]", "a string", describe(file_id))


_FORMATS: dict[str, Members] = {"text": {}, "grammar": {"syntax": ("lark", "regex"), "definition": "string"}}


def _refuse_custom(tool: Object, path: str) -> None:
    """A custom tool's name and the form of its format. What a grammar says is not checked: it is taken as it is."""
    _refuse_name(tool, path)
    form = tool.get("format")
    if form is None:
        return
    here = f"{path}.format"
    check(form, here, {"type": tuple(_FORMATS)}, {})
    check(form, here, _FORMATS[form["type"]], {})


def _between(name: str, least: int, most: int) -> Callable[[Object, str], None]:
    return lambda tool, path: check_range(f"{path}.{name}", tool.get(name), least, most)


_FURTHER: dict[str, Callable[[Object, str], None]] = {
    "custom": _refuse_custom,
    "code_interpreter": _refuse_container,
    "shell": _refuse_environment,
    "mcp": _refuse_mcp,
    "file_search": refuse_file_search,
    "image_generation": _between("partial_images", 0, 3),
}


def echo(tool: Object) -> Object:
    """A tool as the response shows it: with its defaults, without its secrets (wire; documented)."""
    form = FORMS[tool["type"]]
    sent = {name: value for name, value in tool.items() if value is not None and name not in form.secret}
    members = {**form.defaults, **sent}
    if tool["type"] == "function":
        members |= _echo_function(tool)
    elif tool["type"] == "file_search":
        members["ranking_options"] = {"ranker": "auto", "score_threshold": 0.0} | (tool.get("ranking_options") or {})
    elif isinstance(members.get("user_location"), dict):
        members["user_location"] = {**_LOCATION, **members["user_location"]}
    return ordered(members)


def _echo_function(tool: Object) -> Object:
    """Strict unless the caller said otherwise, and then closed to further properties (wire: a request without `strict`)."""
    parameters = tool.get("parameters")
    if tool.get("strict") is not None or parameters is None:
        return {"parameters": parameters, "strict": tool.get("strict") is not False}
    from mockserver.model.json_schema import normalise_strict

    return {"parameters": normalise_strict(parameters), "strict": True}


def offered(tools: list[Object] | None) -> tuple[Tool, ...]:
    """The tools as a prompt has them. Those of a namespace stand beside the others."""
    tools_offered: list[Tool] = []
    for tool in tools or ():
        kind = tool["type"]
        if kind == "function":
            strict = tool.get("strict") is not False
            tools_offered.append(Tool(tool["name"], kind, tool.get("parameters"), strict, tool.get("description")))
        elif kind == "namespace":
            tools_offered += offered(tool["tools"])
        else:
            name = tool.get("name") or kind
            tools_offered.append(Tool(name, kind, description=tool.get("description"), grammar=_grammar(tool)))
    return tuple(tools_offered)


def _grammar(tool: Object) -> Grammar | None:
    """The grammar of a custom tool's input, None where any text will do."""
    form = (tool.get("format") if tool["type"] == "custom" else None) or {}
    return Grammar(form["syntax"], form["definition"]) if form.get("type") == "grammar" else None


def namespace_of(tools: list[Object] | None, name: str) -> str | None:
    """The namespace that a function belongs to, None where it stands alone."""
    for tool in tools or ():
        if tool["type"] == "namespace" and any(inner.get("name") == name for inner in tool["tools"]):
            return str(tool["name"])
    return None


_NEVER_FORCED = ("function", "custom", "mcp", "namespace", "tool_search", "local_shell")
_HOSTED = tuple(kind for kind in FORMS if kind not in _NEVER_FORCED)
_CHOICES: dict[str, Members] = {
    "function": {"name": "string"},
    "custom": {"name": "string"},
    "mcp": {"server_label": "string"},
    "allowed_tools": {"mode": ("auto", "required"), "tools": "array"},
    **{kind: {} for kind in _HOSTED},
}


def chosen(choice: str | Object | None, tools: list[Object] | None) -> ToolChoice:
    """What `tool_choice` means. Raises ApiError 400 for a form that does not exist and a tool that is not offered."""
    if choice is None:
        return AUTO
    if isinstance(choice, str):
        if choice == "required" and not tools:
            raise no_tools()
        return ToolChoice(choice)  # type: ignore[arg-type]
    kind = choice.get("type")
    if kind is None:
        raise errors.missing_parameter("tool_choice.type")
    if not isinstance(kind, str):
        raise errors.invalid_type("tool_choice.type", "a string", describe(kind))
    if kind not in _CHOICES:
        raise errors.unsupported_choice("tool_choice.type", kind, list(_CHOICES))
    check(choice, "tool_choice", _CHOICES[kind], {})
    if kind == "allowed_tools":
        names = tuple(_named(allowed, tools, f"tool_choice.tools[{at}]") for at, allowed in enumerate(choice["tools"]))
        return ToolChoice(choice["mode"], names)
    return ToolChoice("required", (_named(choice, tools, "tool_choice"),))


def _named(choice: Json, tools: list[Object] | None, path: str) -> str:
    """The offered tool that a choice names."""
    if not isinstance(choice, dict):
        raise errors.invalid_type(path, "an object", describe(choice))
    kind = str(choice.get("type"))
    label = "server_label" if kind == "mcp" else "name"
    wanted = choice.get(label)
    name = str(wanted or kind)
    inside = [inner for tool in tools or () for inner in (tool["tools"] if tool["type"] == "namespace" else (tool,))]
    if not any(tool["type"] == kind and (wanted is None or tool.get(label) == wanted) for tool in inside):
        raise tool_not_offered(name)
    return name if kind in ("function", "custom") else kind
