"""Calls of built-in tools as output items: what a script or the improviser leaves open is filled in from the request.

So a script can say `{type: image_generation_call}` and no more. Containers and the files that code writes into them are real.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from mockserver.api.responses.prompt import ResponsePrompt
from mockserver.operations.members import ordered
from mockserver.resource import containers
from mockserver.state.ids import ResponseIds, call_id

if TYPE_CHECKING:
    from mockserver.operations.call import ModelCall

Json = Any
Object = dict[str, Json]
_AUTO = {"type": "auto"}


class CallWriter:
    """Writes the calls of one response's built-in tools, which share a container."""

    def __init__(self, call: ModelCall, ids: ResponseIds) -> None:
        assert isinstance(call.prompt, ResponsePrompt)
        self._call = call
        self._ids = ids
        self._prompt = call.prompt
        self._containers = [
            item["container_id"] for item in call.prompt.conversation if item["type"] == "code_interpreter_call"
        ]
        self._files: list[Object] = []
        self._call_ids: dict[str, str] = {}

    def item(self, given: Object) -> Object:
        """The whole output item of what a script or the improviser says of a call. Raises ApiError for a container that is gone."""
        kind = given["type"]
        prefix, fill = _FORMS.get(kind, ("item", _nothing))
        item = {**fill(self, given), **given, "type": kind, "id": self._ids.new(prefix)}
        if kind == "code_interpreter_call":
            self._write_files(item, item.pop("files", {}))
        if kind.endswith("_call") and "call_id" in item:
            self._call_ids[kind] = item["call_id"]
        return ordered(item)

    def file_citations(self, text: str) -> list[Object]:
        """The files that this response's code wrote and that the text links to, as `sandbox:/mnt/data/…` (documented)."""
        citations = []
        for file in self._files:
            for link in re.finditer(re.escape("sandbox:" + file["path"]) + r"(?![\w.-]*\w)", text):
                citations.append(
                    {
                        "type": "container_file_citation",
                        "container_id": file["container_id"],
                        "end_index": link.end(),
                        "file_id": file["id"],
                        "filename": file["path"].rpartition("/")[2],
                        "start_index": link.start(),
                    }
                )
        return sorted(citations, key=lambda citation: citation["start_index"])

    def _write_files(self, item: Object, files: dict[str, Json]) -> None:
        if not files:
            return
        call = self._call
        container = containers.use(call.resource, str(item["container_id"]), call.now)
        for name, content in files.items():
            data = base64.b64decode(content["base64"]) if isinstance(content, dict) else str(content).encode()
            self._files.append(
                containers.add_file(
                    call.resource,
                    container,
                    filename=name,
                    content=io.BytesIO(data),
                    size=len(data),
                    source="assistant",
                    chance=call.chance,
                    now=call.now,
                )
            )

    def tool(self, kind: str) -> Object:
        """The first tool of a kind that the request offers, {} where there is none."""
        return next(self.tools(kind), {})

    def tools(self, kind: str) -> Iterator[Object]:
        """The tools of a kind that the request offers; versions count as their kind."""
        return (tool for tool in self._call.body.tools or () if tool["type"].startswith(kind))

    # -- what each kind of call is filled with

    def web_search(self, given: Object) -> Object:
        """A search for what the user asked. The preview tool's item is left at `searching` even when all is done (wire)."""
        status = "searching" if self.tool("web_search_preview") or not self.tool("web_search") else "completed"
        return {"status": status, "action": {"type": "search", "query": self._prompt.user}}

    def file_search(self, given: Object) -> Object:
        """A search with what it found, which shows only where `include` asks for it."""
        found = [passage.result() for passage in self._prompt.passages()]
        return {"status": "completed", "queries": [self._prompt.user], "results": found if self.tool("file_search") else None}

    def code_interpreter(self, given: Object) -> Object:
        """A call that runs in the tool's container; one that the script names need not be there."""
        members: Object = {"status": "completed", "code": "", "outputs": []}
        if "container_id" not in given:
            members["container_id"] = self._container(self.tool("code_interpreter").get("container", _AUTO))
        return members

    def _container(self, wanted: str | Object) -> str:
        call = self._call
        before = [item["container_id"] for item in self._prompt.conversation if item["type"] == "code_interpreter_call"]
        earlier = [*before, *self._containers]
        container = containers.for_tool(call.resource, wanted, chance=call.chance, now=call.now, earlier=earlier)
        self._containers.append(container["id"])
        name: str = container["id"]
        return name

    def image_generation(self, given: Object) -> Object:
        """A picture as the tool's settings want it; the item is left at `generating` (wire)."""
        tool = self.tool("image_generation")
        defaults = {"background": "opaque", "output_format": "png", "quality": "medium", "size": "1024x1024"}
        wanted = {name: tool.get(name) for name in defaults if tool.get(name) not in (None, "auto")}
        members: Object = {"status": "generating", "revised_prompt": self._prompt.user, **defaults, **wanted}
        if "result" not in given:
            members["result"] = self._picture({**members, **given})
        return members

    def _picture(self, item: Object) -> str:
        from mockserver.model.pictures import picture

        digest = hashlib.blake2b(str(item["revised_prompt"]).encode(), digest_size=3).digest()
        colour = (digest[0], digest[1], digest[2])
        transparent = item["background"] == "transparent"
        drawn = picture(str(item["size"]), str(item["output_format"]), colour, transparent=transparent)
        return base64.b64encode(drawn).decode()

    def computer(self, given: Object) -> Object:
        """A screenshot; the tool `computer` does several actions in one call (SDK)."""
        first = {"type": "screenshot"}
        action = {"actions": [first]} if self.tool("computer") and not self.tool("computer_use_preview") else {"action": first}
        return (
            self._called(given) | (action if not given.keys() & {"action", "actions"} else {}) | {"pending_safety_checks": []}
        )

    def local_shell(self, given: Object) -> Object:
        """A command for the caller's machine."""
        action = {"type": "exec", "command": ["ls"], "env": {}}
        return self._called(given) | {"action": action}

    def shell(self, given: Object) -> Object:
        """A command for the caller's machine or, where the tool has a container, for that."""
        action = {"commands": ["ls"], "max_output_length": None, "timeout_ms": None}
        return self._called(given) | {"action": action, "environment": self._environment()}

    def _environment(self) -> Object | None:
        environment = self.tool("shell").get("environment") or {}
        if environment.get("type") == "container_auto":
            return {"type": "container_reference", "container_id": self._container(environment)}
        if environment.get("type") == "container_reference":
            return {"type": "container_reference", "container_id": self._container(environment["container_id"])}
        return {"type": "local"} if environment.get("type") == "local" else None

    def shell_output(self, given: Object) -> Object:
        """What the command printed that ran in a container."""
        return self._called(given, "shell_call") | {"max_output_length": None, "output": []}

    def apply_patch(self, given: Object) -> Object:
        """A new file."""
        operation = {"type": "create_file", "path": "notes.md", "diff": "+# Notes\n"}
        return self._called(given) | {"operation": operation}

    def apply_patch_output(self, given: Object) -> Object:
        """Whether the patch could be applied."""
        return self._called(given, "apply_patch_call") | {"output": None}

    def _called(self, given: Object, answers: str = "") -> Object:
        """A call's id: that of the call just before where it `answers` one."""
        return {"status": "completed", "call_id": self._call_ids.get(answers) or call_id(self._call.chance)}

    def mcp_call(self, given: Object) -> Object:
        """A call of a server's tool: where the caller has just approved one, that one (reported: it names its request)."""
        members: Object = {"status": "failed" if given.get("error") else "completed", "error": None, "output": None}
        request = approved(self._prompt) or {}
        members |= {"approval_request_id": request.get("id"), "arguments": request.get("arguments", "{}")}
        return members | {"name": request.get("name", "tool"), "server_label": request.get("server_label") or self._server()}

    def mcp_list_tools(self, given: Object) -> Object:
        """The tools of a server."""
        return {"server_label": self._server(), "tools": [], "error": None}

    def mcp_approval_request(self, given: Object) -> Object:
        """A call that waits for the caller's approval."""
        return {"arguments": "{}", "name": "tool", "server_label": self._server()}

    def _server(self) -> str:
        return str(self.tool("mcp").get("server_label", "server"))

    def compaction(self, given: Object) -> Object:
        """Opaque content."""
        return {
            "encrypted_content": self._call.resource.seal.content(self._call.chance.fork("compaction"), self._call.created, 64)
        }


def approved(prompt: ResponsePrompt) -> Object | None:
    """The request that the caller's own input approves last, None where it approves none."""
    requests = {item["id"]: item for item in prompt.conversation if item["type"] == "mcp_approval_request"}
    answers = [item for item in prompt.items if item["type"] == "mcp_approval_response" and item["approve"]]
    return requests.get(answers[-1]["approval_request_id"]) if answers else None


def _nothing(writer: CallWriter, given: Object) -> Object:
    return {}


_FORMS: dict[str, tuple[str, Callable[[CallWriter, Object], Object]]] = {
    "web_search_call": ("ws", CallWriter.web_search),
    "file_search_call": ("fs", CallWriter.file_search),
    "code_interpreter_call": ("ci", CallWriter.code_interpreter),
    "image_generation_call": ("ig", CallWriter.image_generation),
    "computer_call": ("cu", CallWriter.computer),
    "local_shell_call": ("lsh", CallWriter.local_shell),
    "shell_call": ("sh", CallWriter.shell),
    "shell_call_output": ("sho", CallWriter.shell_output),
    "apply_patch_call": ("apc", CallWriter.apply_patch),
    "apply_patch_call_output": ("apco", CallWriter.apply_patch_output),
    "mcp_call": ("mcp", CallWriter.mcp_call),
    "mcp_list_tools": ("mcpl", CallWriter.mcp_list_tools),
    "mcp_approval_request": ("mcpr", CallWriter.mcp_approval_request),
    "compaction": ("cmp", CallWriter.compaction),
}
