import type { AwsError } from "./operation.ts";
import type { Answer } from "./protocol.ts";

/** The XML name space of each Query service. */
const NAMESPACE = {
  iam: "https://iam.amazonaws.com/doc/2010-05-08/",
  sts: "https://sts.amazonaws.com/doc/2011-06-15/",
};

/** The members of a form: `Tags.member.2.Key=a` is member Key of the second entry of the list Tags. */
export function formInput(form: URLSearchParams): Record<string, unknown> {
  const root: Tree = new Map();
  for (const [name, value] of form) {
    if (name === "Action" || name === "Version") {
      continue;
    }
    const path = name.split(".").filter((part) => part !== "member");
    let branch = root;
    for (const part of path.slice(0, -1)) {
      const next = branch.get(part);
      const deeper: Tree = next instanceof Map ? next : new Map<string, never>();
      branch.set(part, deeper);
      branch = deeper;
    }
    branch.set(path.at(-1) ?? "", value);
  }
  return Object.fromEntries([...root].map(([name, value]) => [name, plain(value)]));
}

type Tree = Map<string, string | Tree>;

/** A branch whose names are numbers is a list. */
function plain(value: string | Tree): unknown {
  if (typeof value === "string") {
    return value;
  }
  const entries = [...value];
  if (entries.every(([name]) => /^\d+$/.test(name))) {
    return entries.sort(([a], [b]) => Number(a) - Number(b)).map(([, entry]) => plain(entry));
  }
  return Object.fromEntries(entries.map(([name, entry]) => [name, plain(entry)]));
}

/** A result in the awsQuery protocol. */
export function queryAnswer(
  service: "iam" | "sts",
  action: string,
  requestId: string,
  output: unknown,
): Answer {
  const result = output === undefined ? "" : element(`${action}Result`, output);
  const metadata = element("ResponseMetadata", { RequestId: requestId });
  return xml(
    200,
    `<${action}Response xmlns="${NAMESPACE[service]}">${result}${metadata}</${action}Response>`,
  );
}

/** An error in the awsQuery protocol. */
export function queryError(service: "iam" | "sts", requestId: string, error: AwsError): Answer {
  const fault = {
    Type: error.status < 500 ? "Sender" : "Receiver",
    Code: error.code,
    Message: error.message,
  };
  const members = element("Error", fault) + element("RequestId", requestId);
  return xml(error.status, `<ErrorResponse xmlns="${NAMESPACE[service]}">${members}</ErrorResponse>`);
}

function xml(status: number, body: string): Answer {
  return { status, headers: { "content-type": "text/xml" }, body };
}

function element(name: string, value: unknown): string {
  return value === undefined ? "" : `<${name}>${content(value)}</${name}>`;
}

function content(value: unknown): string {
  if (Array.isArray(value)) {
    return value.map((entry) => element("member", entry)).join("");
  }
  if (typeof value === "object" && value !== null) {
    return Object.entries(value)
      .map(([name, each]) => element(name, each))
      .join("");
  }
  return escaped(String(value));
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
