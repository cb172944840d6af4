"""The control API below `/_mock`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from mockserver import MockServer
from mockserver.app import application
from mockserver.resource.build import build_resources

CHAT = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}


class Control:
    def __init__(self, http: httpx2.Client, mock: MockServer) -> None:
        self._http, self._mock = http, mock

    def __call__(self, method: str, path: str, **options: Any) -> httpx2.Response:
        return self._http.request(method, f"{self._mock.endpoint}/_mock{path}", **options)

    def chat(self, **body: Any) -> httpx2.Response:
        return self._http.post(
            self._mock.base_url + "chat/completions", json=CHAT | body, headers={"api-key": self._mock.api_key}
        )


@pytest.fixture
def control(http: httpx2.Client, mock: MockServer) -> Control:
    return Control(http, mock)


@pytest.fixture
def two(http: httpx2.Client) -> Iterator[Control]:
    scenarios = [
        {"resource": {"name": name, "keys": [name + "-key"]}, "rules": [{"name": name, "respond": name}]}
        for name in ("contoso", "fabrikam")
    ]
    with MockServer(scenarios) as mock:
        yield Control(http, mock)


def test_health_names_the_resources(control: Control) -> None:
    health = control("GET", "/health")
    assert health.status_code == 200
    assert (health.json()["status"], health.json()["resources"]) == ("ok", ["mockserver"])


def test_a_scenario_is_replaced_and_added_to(control: Control) -> None:
    put = control("PUT", "/scenario", content="rules:\n  - name: one\n    respond: first\n")
    assert [rule["name"] for rule in put.json()["rules"]] == ["one"]
    assert control.chat().json()["choices"][0]["message"]["content"] == "first"
    posted = control("POST", "/scenario", json={"rules": [{"name": "two", "priority": 1, "respond": "second"}]})
    assert [(rule["name"], rule["uses"]) for rule in posted.json()["rules"]] == [("two", 0), ("one", 1)]
    assert control.chat().json()["choices"][0]["message"]["content"] == "second"
    assert control("GET", "/scenario").json()["unused"] == []


def test_a_wrong_scenario_is_told_line_by_line_and_changes_nothing(control: Control) -> None:
    control("PUT", "/scenario", content="rules: [{respond: fine}]")
    wrong = control("PUT", "/scenario", content="rules:\n  - respnd: x\n")
    assert wrong.status_code == 400
    assert any(
        problem.startswith("body:2:5: rules[0].respnd: unknown key; did you mean 'respond'?")
        for problem in wrong.json()["error"]["problems"]
    )
    assert control.chat().json()["choices"][0]["message"]["content"] == "fine"


def test_declared_deployments_come_with_the_scenario(control: Control) -> None:
    control("PUT", "/scenario", content="deployments: {mine: gpt-4.1}")
    assert control.chat().status_code == 404
    assert control.chat(model="mine").status_code == 200
    unknown = control("PUT", "/scenario", content="deployments: {mine: gpt-4.11}")
    assert "there is no model 'gpt-4.11' in the catalogue; did you mean 'gpt-4.1'?" in unknown.json()["error"]["problems"][0]
    assert control.chat(model="mine").status_code == 200


def test_the_journal_is_filtered_and_limited_and_hides_keys(control: Control) -> None:
    control.chat()
    control.chat(stream=True)
    control.chat(messages=[])
    rows = control("GET", "/journal").json()["exchanges"]
    assert [row["status"] for row in rows] == [200, 200, 400]
    assert rows[0]["request"]["body"] == CHAT
    assert "api-key" not in rows[0]["request"]["headers"]
    assert rows[1]["response"]["events"][-1] == "data: [DONE]\n\n"
    assert len(control("GET", "/journal?status=200&limit=1").json()["exchanges"]) == 1
    assert [row["error"] for row in control("GET", "/journal?error=empty_array").json()["exchanges"]] == ["empty_array"]
    assert control("GET", "/journal?operation=createResponse").json()["exchanges"] == []
    assert "unknown filter 'colour'" in control("GET", "/journal?colour=red").json()["error"]["message"]
    assert control("GET", "/journal?limit=none").status_code == 400


def test_reset_forgets_what_it_is_told_to(control: Control, mock: MockServer) -> None:
    control.chat()
    assert control("POST", "/reset", json={"what": "state"}).json() == {"reset": "state", "resource": "mockserver"}
    assert len(mock.requests) == 1
    control("POST", "/reset")
    assert len(mock.requests) == 0
    assert control("POST", "/reset", json={"what": "everything"}).status_code == 400
    assert control("POST", "/reset", content="[]").status_code == 400
    assert control("POST", "/reset", content="{").status_code == 400


def test_the_clock_is_frozen_moved_and_released(control: Control) -> None:
    assert control("POST", "/clock", json={"freeze": 1000}).json() == {"now": 1000, "frozen": True}
    assert control("POST", "/clock", json={"advance": "1h30m"}).json()["now"] == 6400
    assert control("GET", "/clock").json() == {"now": 6400, "frozen": True}
    assert control.chat().json()["created"] == 6400
    assert control("POST", "/clock", json={"resume": True}).json()["frozen"] is False
    assert control("POST", "/clock", json={"freeze": True}).json()["now"] >= 6400
    for wrong in ({}, {"advance": "soon"}, {"advance": -1}, {"advance": []}, {"freeze": "x"}, {"speed": 2}):
        assert control("POST", "/clock", json=wrong).status_code == 400, wrong


def test_a_name_or_a_key_chooses_the_resource(two: Control) -> None:
    assert two("GET", "/scenario").json()["resource"] == "contoso"
    assert two("GET", "/scenario?resource=fabrikam").json()["rules"][0]["name"] == "fabrikam"
    assert two("GET", "/scenario", headers={"api-key": "fabrikam-key"}).json()["resource"] == "fabrikam"
    assert two("GET", "/scenario?resource=nobody").status_code == 404


NINES = "9" * 500


@pytest.mark.parametrize(
    "body",
    [
        '{"freeze": 1e400}', '{"freeze": NaN}', '{"freeze": -1}', '{"freeze": 1e12}', f'{{"freeze": {NINES}}}', '{"freeze": [1]}',
        '{"advance": 1e400}', '{"advance": "nan"}', '{"advance": "inf"}', f'{{"advance": "{NINES}s"}}', f'{{"advance": {NINES}}}',
        '{"advance": true}', '{"advance": "\N{ARABIC-INDIC DIGIT THREE}s"}', '{"resume": []}', '{"freeze": 1000, "advance": "soon"}',
        "[" * 100_000, '{"freeze":' * 100_000, "\xff",
    ],
)  # fmt: skip
def test_no_clock_call_leads_out_of_time(control: Control, mock: MockServer, body: str) -> None:
    before = mock.clock.freeze()
    assert control("POST", "/clock", content=body.encode()).status_code == 400
    assert (mock.clock.now(), mock.clock.frozen) == (before, True)
    assert control.chat().status_code == 200


def test_the_clock_ends_with_the_year_9999(control: Control) -> None:
    statuses = [control("POST", "/clock", json={"advance": 9.9e9}).status_code for _ in range(40)]
    assert (statuses[0], statuses[-1]) == (200, 400)
    assert control.chat().status_code == 200


@pytest.mark.parametrize("body", ["[" * 100_000, '{"a":' * 100_000, "rules: " + "[" * 100_000, "- " * 50_000, "5", "", "\x00"])
@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_what_is_no_scenario_is_refused(control: Control, method: str, body: str) -> None:
    assert control(method, "/scenario", content=body.encode()).status_code == 400


@pytest.mark.parametrize(
    "findings", ["5", "[1]", "{prompt: 5}", "{completion: [5]}", "{hate: [5]}", "{blocked: 1}", "{completion: ''}"]
)
def test_findings_of_another_kind_are_refused(control: Control, findings: str) -> None:
    assert (
        control("PUT", "/scenario", content=f"rules: [{{respond: {{text: x, content_filter: {findings}}}}}]").status_code == 400
    )


def test_a_side_without_findings_is_fine(control: Control) -> None:
    body = "rules: [{respond: {text: x, content_filter: {completion: {}}}}]"
    assert control("PUT", "/scenario", content=body).status_code == 200
    assert control.chat().json()["choices"][0]["finish_reason"] == "stop"


def test_nothing_else_is_there(control: Control) -> None:
    assert control("GET", "/nothing").status_code == 404
    assert "health, scenario, journal, reset, state, clock" in control("DELETE", "/clock").json()["error"]["message"]


@pytest.mark.anyio
async def test_it_asks_for_a_key_when_other_machines_can_reach_it() -> None:
    app = application(build_resources([], {}), {}, guarded=True)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://x") as client:
        assert (await client.get("/_mock/health")).status_code == 200
        assert (await client.get("/_mock/journal")).status_code == 401
        assert (await client.get("/_mock/journal", headers={"api-key": "mock-key"})).status_code == 200


# -- what a resource remembers


@pytest.fixture(params=["memory", "file"])
def remembering(request: pytest.FixtureRequest, http: httpx2.Client, tmp_path: Path) -> Iterator[Control]:
    settings: dict[str, Any] = {"state": tmp_path / "my.state"} if request.param == "file" else {}
    with MockServer(store_documents=4, **settings) as mock:
        yield Control(http, mock)


def create(control: Control) -> httpx2.Response:
    mock = control._mock
    body = {"model": "gpt-4o", "input": "hi"}
    return control._http.post(mock.base_url + "responses", json=body, headers={"api-key": mock.api_key})


def count(control: Control) -> int:
    return control._mock.resource.store.count("response")


def test_a_state_is_read_replaced_and_forgotten(remembering: Control) -> None:
    control = remembering
    first = create(control).json()["id"]
    exported = control("GET", "/state").json()
    assert [entry["kind"] for entry in exported["resources"]["mockserver"]] == ["response", "response.items"]
    assert control("DELETE", "/state").json() == {"reset": "state", "resource": "mockserver"}
    assert count(control) == 0
    assert control("PUT", "/state", json=exported).json() == {"documents": 2, "resource": "mockserver"}
    assert control("GET", "/state").json() == exported | {"generation": 1}
    assert control._mock.resource.store.get("response", first) is not None


def test_ids_are_new_after_a_state_was_put(remembering: Control) -> None:
    control = remembering
    create(control)
    exported = control("GET", "/state").content
    control("POST", "/reset")
    control("PUT", "/state", content=exported)
    create(control)
    assert count(control) == 2


def test_a_state_of_another_resource_can_be_put(remembering: Control) -> None:
    entry = {"kind": "response", "id": "resp_1", "document": {}}
    exported = {"mockserver_state": 1, "resources": {"other": [entry]}}
    assert remembering("PUT", "/state", json=exported).json()["documents"] == 1


@pytest.mark.parametrize(
    ("exported", "message"),
    [
        ([], "it has no member mockserver_state"),
        ({"mockserver_state": 1, "resources": {"a": [], "b": []}}, "there are several resources in it, but no 'mockserver'"),
        (
            {"mockserver_state": 1, "resources": {"a": [{"kind": "a", "id": "b", "document": {}, "parent": ["x", "y"]}]}},
            "no x 'y'",
        ),
        (
            {"mockserver_state": 1, "resources": {"a": [{"kind": "a", "id": f"{at}", "document": {}} for at in range(5)]}},
            "raise the setting `store_documents`",
        ),
    ],
)
def test_a_state_that_cannot_be_put_changes_nothing(remembering: Control, exported: Any, message: str) -> None:
    create(remembering)
    refused = remembering("PUT", "/state", json=exported)
    assert refused.status_code in (400, 507)
    assert message in refused.json()["error"]["message"]
    assert count(remembering) == 1
