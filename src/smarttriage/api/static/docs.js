// Renders /openapi.json and sends requests from it. Everything comes from this server: the page works without a network.

const spec = await (await fetch("/openapi.json")).json();
const main = document.getElementById("main");
const key = document.getElementById("key");

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

function resolved(schema) {
  return schema?.$ref ? spec.components.schemas[schema.$ref.split("/").pop()] : schema;
}

function schemaOf(part) {
  return Object.values(part?.content ?? {})[0]?.schema;
}

function shape(schema, seen = []) {
  const name = schema?.$ref;
  if (name && seen.includes(name)) return "…";
  const next = name ? [...seen, name] : seen;
  const found = resolved(schema) ?? {};
  if (found.properties) return Object.fromEntries(Object.entries(found.properties).map(([k, v]) => [k, shape(v, next)]));
  if (found.type === "array") return [shape(found.items, next)];
  if (found.enum) return found.enum.join(" | ");
  const either = found.anyOf ?? found.oneOf;
  if (either) {
    const options = either.map((option) => shape(option, next));
    return options.every((option) => typeof option === "string") ? options.join(" | ") : options[0];
  }
  return found.const ?? found.format ?? found.type ?? "any";
}

function parameterRow(parameter, inputs) {
  const input = element("input", { "aria-label": parameter.name });
  inputs.push([parameter, input]);
  const need = parameter.required ? " (required)" : "";
  return element("tr", {},
    element("td", {}, element("code", {}, parameter.name), ` ${parameter.in}${need}`),
    element("td", {}, input),
    element("td", {}, parameter.description ?? parameter.schema?.description ?? ""));
}

async function send(method, path, inputs, body, output) {
  let url = path;
  const query = new URLSearchParams();
  const headers = key.value ? { Authorization: `Bearer ${key.value}` } : {};
  for (const [parameter, input] of inputs) {
    if (parameter.in === "path") url = url.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
    else if (input.value && parameter.in === "query") query.set(parameter.name, input.value);
    else if (input.value && parameter.in === "header") headers[parameter.name] = input.value;
  }
  if (body) headers["Content-Type"] = "application/json";
  const target = query.size ? `${url}?${query}` : url;
  output.textContent = "…";
  try {
    const started = performance.now();
    const response = await fetch(target, { method, headers, body: body?.value });
    const text = await response.text();
    let shown = text;
    try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* not JSON: shown as it came */ }
    output.textContent = `${response.status} in ${(performance.now() - started).toFixed(1)} ms\n\n${shown}`;
  } catch (error) {
    output.textContent = `not sent: ${error.message}`;
  }
}

function operation(path, method, described) {
  const inputs = [];
  const parts = [element("p", {}, described.description ?? "")];
  if (described.parameters?.length) {
    parts.push(element("table", {}, ...described.parameters.map((parameter) => parameterRow(parameter, inputs))));
  }
  let body = null;
  const wanted = schemaOf(described.requestBody);
  if (wanted) {
    const example = resolved(wanted).examples?.[0] ?? shape(wanted);
    body = element("textarea", { "aria-label": "body", spellcheck: "false" });
    body.value = JSON.stringify(example, null, 2);
    parts.push(body, element("details", {}, element("summary", {}, "Every key"), element("pre", {}, JSON.stringify(shape(wanted), null, 2))));
  }
  const output = element("pre", { "aria-live": "polite" }, "");
  const button = element("button", { onclick: () => send(method.toUpperCase(), path, inputs, body, output) }, "Send");
  parts.push(button, output);
  for (const [status, answer] of Object.entries(described.responses)) {
    const schema = schemaOf(answer);
    const inside = schema ? [element("pre", {}, JSON.stringify(shape(schema), null, 2))] : [];
    parts.push(element("details", {}, element("summary", {}, `${status} ${answer.description}`), ...inside));
  }
  const line = element("summary", {}, element("span", { class: "method" }, method.toUpperCase()), element("code", {}, path), ` ${described.summary ?? ""}`);
  return element("details", { id: described.operationId }, line, ...parts);
}

document.getElementById("title").textContent = `${spec.info.title} ${spec.info.version}`;
main.replaceChildren(...spec.info.description.split("\n\n").map((text) => element("p", {}, text)));
const groups = new Map();
for (const [path, methods] of Object.entries(spec.paths)) {
  for (const [method, described] of Object.entries(methods)) {
    const tag = described.tags?.[0] ?? "other";
    groups.set(tag, [...(groups.get(tag) ?? []), operation(path, method, described)]);
  }
}
for (const [tag, operations] of groups) main.append(element("h2", {}, tag), ...operations);
