"""Does with the official Python SDKs what a plan says, and tells what a developer would see.

The plan comes on stdin, one JSON object; see envoy/src/sdk/plan.rs. On stdout: one line about the SDKs, then one
line for each task as it ends. Tasks run beside one another, each with a client of its own, with the SDK's defaults
for everything but addresses, keys and headers: what is tested is how the SDKs behave by themselves.
"""

import json
import os
import platform
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import anthropic
import openai

TELLING = threading.Lock()


def tell(line):
    with TELLING:
        print(json.dumps(line, ensure_ascii=False), flush=True)


def client_of(task):
    headers = {"x-account-id": task["account"], **task["headers"]}
    if task["sdk"] == "openai":
        return openai.OpenAI(base_url=task["base"] + "/v1", api_key="sk-test", default_headers=headers)
    return anthropic.Anthropic(base_url=task["base"], api_key="sk-test", default_headers=headers)


def resource_of(client, api):
    return {
        "chat": lambda: client.chat.completions,
        "responses": lambda: client.responses,
        "completions": lambda: client.completions,
        "embeddings": lambda: client.embeddings,
        "messages": lambda: client.messages,
        "count_tokens": lambda: client.messages,
    }[api]()


def accumulated(resource, api, params):
    """The object that the SDK makes of a stream."""
    with resource.stream(**params) as stream:
        for _ in stream:
            pass
        final = {
            "chat": "get_final_completion",
            "responses": "get_final_response",
            "messages": "get_final_message",
        }[api]
        return getattr(stream, final)()


def answer(resource, task, params):
    if task["way"] == "stream":
        return accumulated(resource, task["api"], params)
    if task["api"] == "count_tokens":
        return resource.count_tokens(**params)
    return resource.create(**params)


def continued(api, params, answer):
    """The next request of a tool loop, written as the SDKs' own documentation writes it; None where no tool is called."""
    if api == "messages":
        calls = [block for block in answer.content if block.type == "tool_use"]
        results = [{"type": "tool_result", "tool_use_id": call.id, "content": "12 °C"} for call in calls]
        more = [{"role": "assistant", "content": answer.content}, {"role": "user", "content": results}]
        return calls and {**params, "messages": params["messages"] + more}
    if api == "responses":
        calls = [item for item in answer.output if item.type == "function_call"]
        results = [{"type": "function_call_output", "call_id": call.call_id, "output": "12 °C"} for call in calls]
        return calls and {**params, "input": [*params["input"], *answer.output, *results]}
    message = answer.choices[0].message
    calls = message.tool_calls or []
    results = [{"role": "tool", "tool_call_id": call.id, "content": "12 °C"} for call in calls]
    return calls and {**params, "messages": [*params["messages"], message, *results]}


def done(task):
    """What the task ends with; exceptions are the SDK's."""
    resource = resource_of(client_of(task), task["api"])
    params = task["params"]
    if task["way"] == "events":
        return {"object": [event.to_dict(mode="json") for event in resource.create(**params, stream=True)]}
    for _ in range(task["before"]):
        answer(resource, task, params)
    last = answer(resource, task, params)
    steps = 1
    while task["loop"] and steps < 4:
        following = continued(task["api"], params, last)
        if not following:
            break
        params = following
        last = answer(resource, task, params)
        steps += 1
    return {"object": last.to_dict(mode="json"), "steps": steps}


def seen(error):
    """What a developer can read of an exception."""
    response = getattr(error, "response", None)
    return {
        "class": type(error).__name__,
        "status": getattr(error, "status_code", None),
        "message": str(error),
        "body": json.dumps(getattr(error, "body", None), ensure_ascii=False, default=str),
        "request_id": getattr(error, "request_id", None),
        "headers": dict(response.headers) if response is not None else {},
    }


def run(task):
    try:
        tell({"task": task["task"], **done(task)})
    except Exception as error:  # whatever it is, it is what a developer would see
        tell({"task": task["task"], "error": seen(error)})


def main():
    plan = json.load(sys.stdin)
    tell(
        {
            "runtime": "Python " + platform.python_version(),
            "sdks": {
                "openai": {"version": openai.__version__, "retries": openai.DEFAULT_MAX_RETRIES},
                "anthropic": {"version": anthropic.__version__, "retries": anthropic.DEFAULT_MAX_RETRIES},
            },
        }
    )
    # Some only wait, so there are more than processors; all at once would make the quick ones slow.
    with ThreadPoolExecutor(max_workers=16) as pool:
        list(pool.map(run, plan["tasks"]))


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)
