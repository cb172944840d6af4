"""Built-in tools, used without a script: what a model could do with a tool that the caller demands, or has just approved.

All of it is inferred: a model is free to do as it likes. `file_search` is improvised where answers are
(`mockserver.model.grounding`), since other surfaces have it too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mockserver.api.responses.calls import approved
from mockserver.api.responses.prompt import ResponsePrompt
from mockserver.model.reply import BuiltInCall, Part, Reasoning, Reply, Text
from mockserver.state.chance import Chance

if TYPE_CHECKING:
    from mockserver.operations.call import ModelCall

Json = Any
Object = dict[str, Json]
_SITES = ("https://example.com/", "https://www.example.org/", "https://en.example.net/wiki/")
_NUMBER = re.compile(r"(?<![\w.])-?\d{1,12}(?:\.\d{1,6})?(?!\w|\.\w)")
_FILE = re.compile(r"(?<![\w./-])[\w-]{1,60}\.(?:csv|txt|md|json|py|log)\b")
_LONGEST_QUERY = 200


def reply_of(call: ModelCall) -> Reply:
    """What the model says; where no script says it, with the use of a built-in tool that the caller demands or has approved."""
    reply = call.reply()
    if call.answer is not None and call.answer.reply is not None:
        return reply
    assert isinstance(call.prompt, ResponsePrompt)
    user = ToolUser(call.prompt, Chance(f"{call.resource.seed}/uses/{call.prompt.turns!r}"))
    parts = user.parts(call.body.tools or [], call.body.tool_choice, reply)
    return reply if parts is None else replace(reply, parts=parts)


class ToolUser:
    """Uses a built-in tool for one prompt."""

    def __init__(self, prompt: ResponsePrompt, chance: Chance) -> None:
        self._prompt = prompt
        self._chance = chance
        self._query = " ".join(prompt.user.split())[:_LONGEST_QUERY] or "news"

    def parts(self, tools: list[Object], choice: str | Object | None, reply: Reply) -> list[Part] | None:
        """The parts of a reply that uses a tool, None where it uses none."""
        thoughts = [part for part in reply.parts if isinstance(part, Reasoning)]
        answers = [part for part in reply.parts if isinstance(part, Text)]
        if not answers or any(isinstance(part, BuiltInCall) for part in reply.parts):
            return None
        parts = self._decided(answers[0])
        if parts is None:
            tool = self._demanded(tools, choice)
            parts = None if tool is None else _USES[_kind(tool)](self, tool, answers[0])
        return None if parts is None else [*thoughts, *parts]

    def _demanded(self, tools: list[Object], choice: str | Object | None) -> Object | None:
        """The first tool that the caller demands, unless a demanded one is the caller's own, which comes first."""
        if self._prompt.tool_choice.mode != "required":
            return None
        names = self._prompt.tool_choice.names
        label = choice.get("server_label") if isinstance(choice, dict) else None
        demanded = [tool for tool in tools if _kind(tool) in _USES and (not names or tool["type"] in names)]
        return next((tool for tool in demanded if label is None or tool.get("server_label") == label), None)

    # -- the tools that the service runs itself: a use, then the answer

    def web_search(self, tool: Object, answer: Text) -> list[Part]:
        """A search, and an answer that cites a page."""
        site = self._chance.choice(_SITES) + "-".join(re.findall(r"[a-z0-9]+", self._query.lower())[:5])
        action = {"type": "search", "query": self._query, "sources": [{"type": "url", "url": site}]}
        host = site.split("/")[2]
        link = f"([{host}]({site}))"
        start = len(answer.text) + 1
        cited = {
            "type": "url_citation",
            "start_index": start,
            "end_index": start + len(link),
            "title": self._title(),
            "url": site,
        }
        return [BuiltInCall({"type": "web_search_call", "action": action}), self._cited(answer, f"{answer.text} {link}", cited)]

    def _title(self) -> str:
        return self._query[:60].rstrip(" ?.!").capitalize()

    def _cited(self, answer: Text, text: str, citation: Object) -> Text:
        return self._plain(answer, Text(text, [citation]))

    def _plain(self, answer: Text, better: Text) -> Text:
        """`better` in place of the answer, unless that has to be JSON."""
        return better if self._prompt.output.kind == "text" else answer

    def code_interpreter(self, tool: Object, answer: Text) -> list[Part]:
        """Code that adds up the user's numbers or counts the user's words, and a file where the user names one."""
        numbers = [float(number) if "." in number else int(number) for number in _NUMBER.findall(self._query)]
        if len(numbers) > 1:
            lines, result = [f"numbers = {numbers}", "result = sum(numbers)"], repr(sum(numbers))
        else:
            lines, result = [f"text = {self._query!r}", "result = len(text.split())"], str(len(self._query.split()))
        lines.append("print(result)")
        item: Object = {"type": "code_interpreter_call", "outputs": [{"type": "logs", "logs": f"{result}\n"}]}
        text = f"The result is {result}."
        named = _FILE.search(self._query)
        if named is not None:
            path = f"/mnt/data/{named[0]}"
            lines.append(f"open({path!r}, 'w').write(f'{{result}}\\n')")
            item["files"] = {named[0]: f"{result}\n"}
            text += f" It is also in [{named[0]}](sandbox:{path})."
        item["code"] = "\n".join(lines)
        return [BuiltInCall(item), self._plain(answer, Text(text))]

    def image_generation(self, tool: Object, answer: Text) -> list[Part]:
        """A picture, and a sentence about it."""
        picture = Text(f"Here is the picture: {self._query.rstrip('.')}.")
        return [BuiltInCall({"type": "image_generation_call"}), self._plain(answer, picture)]

    # -- the tools that the caller runs: a call, for whose output the caller comes back

    def computer(self, tool: Object, answer: Text) -> list[Part]:
        """A screenshot, and a click once there is one."""
        seen = any(item["type"] == "computer_call_output" for item in self._prompt.items)
        action: Object = {"type": "screenshot"}
        if seen:
            width, height = tool.get("display_width") or 1024, tool.get("display_height") or 768
            action = {"type": "click", "button": "left", "x": width // 2, "y": height // 2}
        name = "action" if tool["type"] == "computer_use_preview" else "actions"
        return [BuiltInCall({"type": "computer_call", name: action if name == "action" else [action]})]

    def local_shell(self, tool: Object, answer: Text) -> list[Part]:
        """A command that changes nothing."""
        action = {"type": "exec", "command": ["ls", "-la"], "env": {}}
        return [BuiltInCall({"type": "local_shell_call", "action": action})]

    def shell(self, tool: Object, answer: Text) -> list[Part]:
        """A command that changes nothing; in a container of the service's its output follows at once."""
        call = BuiltInCall(
            {"type": "shell_call", "action": {"commands": ["ls -la"], "max_output_length": None, "timeout_ms": None}}
        )
        if (tool.get("environment") or {}).get("type") not in ("container_auto", "container_reference"):
            return [call]
        printed = {"stdout": "total 0\n", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}
        return [call, BuiltInCall({"type": "shell_call_output", "output": [printed]}), answer]

    def apply_patch(self, tool: Object, answer: Text) -> list[Part]:
        """A new file, called as the user calls it."""
        named = _FILE.search(self._query)
        operation = {"type": "create_file", "path": named[0] if named else "notes.md", "diff": f"+{self._query}\n"}
        return [BuiltInCall({"type": "apply_patch_call", "operation": operation})]

    # -- tools of MCP servers

    def mcp(self, tool: Object, answer: Text) -> list[Part]:
        """The server's tools, unless the conversation has them; then a call, for which the caller's approval may be needed."""
        label = tool["server_label"]
        known = any(item["type"] == "mcp_list_tools" and item["server_label"] == label for item in self._prompt.conversation)
        names = _allowed(tool)
        listed = BuiltInCall({"type": "mcp_list_tools", "server_label": label, "tools": [_description(name) for name in names]})
        called = {"server_label": label, "name": names[0], "arguments": _compact({"query": self._query})}
        before: list[Part] = [] if known else [listed]
        if _needs_approval(tool, names[0]):
            return [*before, BuiltInCall({"type": "mcp_approval_request", **called})]
        return [*before, *self._called(called, answer)]

    def _called(self, called: Object, answer: Text) -> list[Part]:
        from mockserver.model.prose import write_answer

        output = write_answer(self._query, self._chance.fork("mcp"))
        report = Text(f"According to {called['name']}: {output}")
        return [BuiltInCall({"type": "mcp_call", **called, "output": output}), self._plain(answer, report)]

    def _decided(self, answer: Text) -> list[Part] | None:
        """What follows the caller's decision on a call: the call, or that it is not done."""
        decisions = [item for item in self._prompt.items if item["type"] == "mcp_approval_response"]
        if not decisions:
            return None
        request = approved(self._prompt)
        if request is None:
            return [self._plain(answer, Text("I have not made the call, since it was not approved."))]
        return self._called({name: request[name] for name in ("server_label", "name", "arguments")}, answer)


def _kind(tool: Object) -> str:
    """A tool's kind without its version."""
    kind: str = tool["type"]
    return next((known for known in ("web_search", "computer") if kind.startswith(known)), kind)


def _allowed(tool: Object) -> list[str]:
    allowed = tool.get("allowed_tools")
    names = allowed.get("tool_names") if isinstance(allowed, dict) else allowed
    return [name for name in names or () if isinstance(name, str)] or ["search"]


def _needs_approval(tool: Object, name: str) -> bool:
    """Whether a call needs the caller's approval: always, unless the tool says otherwise (documented)."""
    policy = tool.get("require_approval") or "always"
    if isinstance(policy, str):
        return policy == "always"
    never = policy.get("never")
    return not (isinstance(never, dict) and name in (never.get("tool_names") or ()))


def _description(name: str) -> Object:
    schema = {
        "type": "object",
        "properties": {"query": {"type": "string"}},
        "required": ["query"],
        "additionalProperties": False,
    }
    words = name.replace("_", " ")
    return {"annotations": {"read_only": False}, "description": f"Use {words}.", "input_schema": schema, "name": name}


def _compact(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


_USES: dict[str, Callable[[ToolUser, Object, Text], list[Part]]] = {
    "web_search": ToolUser.web_search,
    "code_interpreter": ToolUser.code_interpreter,
    "image_generation": ToolUser.image_generation,
    "computer": ToolUser.computer,
    "local_shell": ToolUser.local_shell,
    "shell": ToolUser.shell,
    "apply_patch": ToolUser.apply_patch,
    "mcp": ToolUser.mcp,
}
