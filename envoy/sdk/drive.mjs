// Does with the official SDKs for Node what a plan says, and tells what a developer would see.
//
// The plan comes on stdin, one JSON object; see envoy/src/sdk/plan.rs. On stdout: one line about the SDKs, then one
// line for each task as it ends. Tasks run beside one another, each with a client of its own, with the SDK's defaults
// for everything but addresses, keys and headers: what is tested is how the SDKs behave by themselves.
//
// The only argument is the folder that has the packages in its node_modules.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const packages = path.resolve(process.argv[2]);
const require = createRequire(path.join(packages, "package.json"));
const OpenAI = require("openai").default;
const Anthropic = require("@anthropic-ai/sdk").default;

function tell(line) {
  process.stdout.write(JSON.stringify(line) + "\n");
}

function clientOf(task) {
  const options = { apiKey: "sk-test", defaultHeaders: { "x-account-id": task.account, ...task.headers } };
  return task.sdk === "openai"
    ? new OpenAI({ baseURL: task.base + "/v1", ...options })
    : new Anthropic({ baseURL: task.base, ...options });
}

function resourceOf(client, api) {
  return {
    chat: () => client.chat.completions,
    responses: () => client.responses,
    completions: () => client.completions,
    embeddings: () => client.embeddings,
    messages: () => client.messages,
    count_tokens: () => client.messages,
  }[api]();
}

/** The object that the SDK makes of a stream. */
function accumulated(resource, api, params) {
  const stream = resource.stream(params);
  return { chat: () => stream.finalChatCompletion(), responses: () => stream.finalResponse(), messages: () => stream.finalMessage() }[api]();
}

function answer(resource, task, params) {
  if (task.way === "stream") return accumulated(resource, task.api, params);
  return task.api === "count_tokens" ? resource.countTokens(params) : resource.create(params);
}

/** The next request of a tool loop, written as the SDKs' own documentation writes it; nothing where no tool is called. */
function continued(api, params, answer) {
  if (api === "messages") {
    const calls = answer.content.filter((block) => block.type === "tool_use");
    const results = calls.map((call) => ({ type: "tool_result", tool_use_id: call.id, content: "12 °C" }));
    const more = [{ role: "assistant", content: answer.content }, { role: "user", content: results }];
    return calls.length ? { ...params, messages: [...params.messages, ...more] } : undefined;
  }
  if (api === "responses") {
    const calls = answer.output.filter((item) => item.type === "function_call");
    const results = calls.map((call) => ({ type: "function_call_output", call_id: call.call_id, output: "12 °C" }));
    return calls.length ? { ...params, input: [...params.input, ...answer.output, ...results] } : undefined;
  }
  const { message } = answer.choices[0];
  const calls = message.tool_calls ?? [];
  const results = calls.map((call) => ({ role: "tool", tool_call_id: call.id, content: "12 °C" }));
  return calls.length ? { ...params, messages: [...params.messages, message, ...results] } : undefined;
}

/** What the task ends with; exceptions are the SDK's. */
async function done(task) {
  const resource = resourceOf(clientOf(task), task.api);
  let params = task.params;
  if (task.way === "events") {
    const events = [];
    for await (const event of await resource.create({ ...params, stream: true })) events.push(event);
    return { object: events };
  }
  for (let round = 0; round < task.before; round += 1) await answer(resource, task, params);
  let last = await answer(resource, task, params);
  let steps = 1;
  while (task.loop && steps < 4) {
    const following = continued(task.api, params, last);
    if (!following) break;
    params = following;
    last = await answer(resource, task, params);
    steps += 1;
  }
  return { object: last, steps };
}

/** What a developer can read of an exception. */
function seen(error) {
  return {
    class: error?.constructor?.name,
    status: error?.status ?? null,
    message: String(error?.message),
    body: JSON.stringify(error?.error ?? null),
    request_id: error?.requestID ?? null,
    headers: error?.headers ? Object.fromEntries(error.headers.entries()) : {},
  };
}

async function run(task) {
  try {
    tell({ task: task.task, ...(await done(task)) });
  } catch (error) {
    // Whatever it is, it is what a developer would see.
    tell({ task: task.task, error: seen(error) });
  }
}

function versionOf(name) {
  return JSON.parse(readFileSync(path.join(packages, "node_modules", name, "package.json"), "utf8")).version;
}

const plan = JSON.parse(readFileSync(0, "utf8"));
tell({
  runtime: "Node " + process.version,
  sdks: {
    openai: { version: versionOf("openai"), retries: new OpenAI({ apiKey: "sk-test" }).maxRetries },
    anthropic: { version: versionOf("@anthropic-ai/sdk"), retries: new Anthropic({ apiKey: "sk-test" }).maxRetries },
  },
});
await Promise.all(plan.tasks.map(run));
process.stdout.write("", () => process.exit(0));
