import { execFile, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { promisify } from "node:util";
import WebSocket from "ws";
import { expect, test } from "./fixtures";
import type { Server } from "./server";

/**
 * README's walk-through, word for word, by programs we did not write: curl, the
 * WebSocket of npm's `ws` (which is what wscat is made of), and Node's own.
 */
const run = promisify(execFile);
const readme = resolve(import.meta.dirname, "../../README.md");

interface Block {
  language: string;
  text: string;
}

/** The code blocks of the walk-through, in their order. */
async function blocks(): Promise<Block[]> {
  const text = await readFile(readme, "utf8");
  const part = /<!-- walk-through[^\n]*\n([\s\S]*)<!-- end of walk-through -->/.exec(text)?.[1] ?? "";
  return [...part.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = "", code = ""]) => ({
    language,
    text: code,
  }));
}

/** What a line of the README stands for: `…` is anything. */
function pattern(line: string): RegExp {
  return new RegExp(`^${line.split("…").map(escaped).join(".*")}$`);
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** README names the default address; this server has another. */
function here(text: string, server: Server): string {
  return text.replaceAll("localhost:3000", `localhost:${server.port}`);
}

/** Runs the shell blocks one after the other in one shell, checks each answer, and returns the token. */
async function followShell(server: Server): Promise<string> {
  const shell = (await blocks()).filter(({ language }) => language === "sh");
  expect(shell.length).toBeGreaterThanOrEqual(6);
  const mark = "=== next block ===";
  const script = shell.map(({ text }) => here(text, server)).join(`\necho; echo '${mark}'\n`);
  const { stdout } = await run("bash", ["-euc", `${script}\necho; echo '${mark}'; echo "$TOKEN"`]);
  const answers = stdout.split(mark).map((text) => text.trim());
  for (const [i, { text }] of shell.entries()) {
    const promised = /^# (.*)$/m.exec(text)?.[1];
    if (promised) expect(answers[i]).toMatch(pattern(promised));
  }
  return answers.at(-1) ?? "";
}

/** Reads frames one by one. */
class Frames {
  private readonly arrived: string[] = [];
  private wanted: ((frame: string) => void) | null = null;

  constructor(socket: WebSocket) {
    socket.on("message", (data) => {
      const frame = data.toString();
      if (this.wanted) this.wanted(frame);
      else this.arrived.push(frame);
      this.wanted = null;
    });
  }

  next(): Promise<string> {
    const first = this.arrived.shift();
    if (first !== undefined) return Promise.resolve(first);
    return new Promise((tell) => {
      this.wanted = tell;
    });
  }
}

test("curl and wscat, as README says", async ({ server }) => {
  const token = await followShell(server);
  const session = (await blocks()).find(({ language }) => language === "console")?.text ?? "";
  const [command = "", ...lines] = here(session, server).trim().split("\n");
  const words = /^\$ npx wscat -c (\S+) -s (\S+) -H "(\w+): ([^"]*)"$/.exec(command);
  expect(words, command).not.toBeNull();
  const [, address = "", subprotocol = "", header = "", value = ""] = words ?? [];
  const socket = new WebSocket(address, subprotocol, {
    headers: { [header]: value.replace("$TOKEN", token) },
  });
  const frames = new Frames(socket);
  await new Promise((opened, failed) => socket.on("open", opened).on("error", failed));
  expect(socket.protocol).toBe(subprotocol);
  for (const line of lines) {
    if (line.startsWith("> ")) socket.send(line.slice(2));
    else expect(await frames.next()).toMatch(pattern(line.slice(2)));
  }
  expect(lines.length).toBeGreaterThan(6);
  socket.close();
});

test("Node's own WebSocket, as README says", async ({ server }) => {
  const token = await followShell(server);
  const script = (await blocks()).find(({ language }) => language === "js")?.text ?? "";
  // Node.js 20 has it too, behind a flag.
  const { stdout } = await run(process.execPath, ["--experimental-websocket", "-e", here(script, server)], {
    env: { ...process.env, TOKEN: token },
    timeout: 20_000,
  });
  const types = stdout
    .trim()
    .split("\n")
    .map((line) => /"type":"(\w+)"/.exec(line)?.[1]);
  expect(types).toEqual(["welcome", "change", "presence", "ready"]);
});

test("curl listens to server-sent events, as README says", async ({ server }) => {
  const token = await followShell(server);
  const text = await readFile(readme, "utf8");
  const command = /^curl -N .*\/events .*$/m.exec(text)?.[0] ?? "";
  expect(command).not.toBe("");
  const curl = spawn("bash", ["-c", `exec ${here(command, server)} -s`], {
    env: { ...process.env, TOKEN: token },
  });
  let heard = "";
  curl.stdout.on("data", (chunk: Buffer) => {
    heard += chunk.toString();
  });
  await expect.poll(() => heard).toContain("event: change");
  const change = await fetch(server.api("/users/TestUser6/settings"), {
    method: "PATCH",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/merge-patch+json" },
    body: '{"billing":{"salary":4444}}',
  });
  expect(change.status).toBe(200);
  await expect.poll(() => heard).toMatch(/^id: \w+\.2\ndata: .*"value":4444/m);
  curl.kill();
});
